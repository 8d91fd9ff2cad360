import type { JsonObject } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import type { ReleaseRow } from "../store.ts";
import { RELEASE_COLUMNS, type ReleaseColumns, toReleaseRow } from "./release-columns.ts";

/** Newest first. */
export async function listReleases(database: Database, environment: string): Promise<ReleaseRow[]> {
  const rows = await database.query<ReleaseColumns>(
    `SELECT ${RELEASE_COLUMNS} FROM flow_run.release AS l JOIN flow_run.environment AS e ON e.name = l.environment
     WHERE l.environment = $1 ORDER BY l.number DESC`,
    [environment],
  );
  return rows.map(toReleaseRow);
}

export async function currentRelease(database: Database, environment: string): Promise<number | null> {
  const [row] = await database.query<{ current_release: number | null }>(
    "SELECT current_release FROM flow_run.environment WHERE name = $1",
    [environment],
  );
  return row?.current_release ?? null;
}

export async function getBundle(database: Database, environment: string, release: number): Promise<JsonObject | null> {
  const [row] = await database.query<{ bundle: JsonObject }>("SELECT bundle FROM flow_run.release WHERE environment = $1 AND number = $2", [
    environment,
    release,
  ]);
  return row?.bundle ?? null;
}
