import { FlowRunError, type JsonObject } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { isStorable } from "../storable-json.ts";
import type { ReleaseRow } from "../store.ts";
import { CHANNEL } from "./notify-ended.ts";
import { RELEASE_COLUMNS, type ReleaseColumns, toReleaseRow } from "./release-columns.ts";
import { replaceSchedules } from "./replace-schedules.ts";
import { setConcurrencyLimits } from "./set-concurrency-limits.ts";

export interface ReleaseToDeploy {
  environment: string;
  bundle: JsonObject;
  hash: string;
  author: string | null;
  message: string | null;
  commit: string | null;
  expectedCurrent?: number | null;
}

const RELEASE = `SELECT ${RELEASE_COLUMNS} FROM flow_run.release AS l JOIN flow_run.environment AS e ON e.name = l.environment
  WHERE l.environment = $1 AND l.number = $2`;

/** Deployments of one environment wait for each other at its row. The same bundle again changes nothing. Throws codes `stale-plan`, `invalid-bundle`. */
export async function deployRelease(
  database: Database,
  sender: string,
  { environment, bundle, hash, author, message, commit, expectedCurrent }: ReleaseToDeploy,
): Promise<{ release: ReleaseRow; previous: number | null; changed: boolean }> {
  const bundleText = JSON.stringify(bundle);
  if (!isStorable(bundle, bundleText)) throw notStorable();
  return database.transaction(async (tx) => {
    await tx.query("INSERT INTO flow_run.environment (name) VALUES ($1) ON CONFLICT DO NOTHING", [environment]);
    const [at] = await tx.query<{ current_release: number | null }>(
      "SELECT current_release FROM flow_run.environment WHERE name = $1 FOR UPDATE",
      [environment],
    );
    const previous = at?.current_release ?? null;
    const current = previous === null ? undefined : (await tx.query<ReleaseColumns>(RELEASE, [environment, previous]))[0];
    if (current?.hash === hash) return { release: toReleaseRow(current), previous, changed: false };
    if (expectedCurrent !== undefined && expectedCurrent !== previous) throw stalePlan(environment, expectedCurrent, previous);
    const [created] = await tx.query<{ number: number }>(
      `INSERT INTO flow_run.release (environment, number, hash, bundle, author, message, commit)
       SELECT $1, coalesce(max(number), 0) + 1, $2, $3::json, $4, $5, $6 FROM flow_run.release WHERE environment = $1
       RETURNING number`,
      [environment, hash, bundleText, author, message, commit],
    );
    const { number } = created!;
    await tx.query("UPDATE flow_run.environment SET current_release = $2 WHERE name = $1", [environment, number]);
    await setConcurrencyLimits(tx, environment, number);
    await replaceSchedules(tx, environment, number);
    await tx.query(`SELECT pg_notify('${CHANNEL}', $1::text || ' release ' || $2::text)`, [sender, environment]);
    const [release] = await tx.query<ReleaseColumns>(RELEASE, [environment, number]);
    return { release: toReleaseRow(release as ReleaseColumns), previous, changed: true };
  });
}

/** What is made of a bundle in SQL, its schedules and limits, would fail with words that help nobody. */
function notStorable(): FlowRunError {
  return new FlowRunError(
    "invalid-bundle",
    "A text of the project contains U+0000 or half of a surrogate pair, which no database can store. Look for \\0 and \\ud800…\\udfff between double quotes, and remove it.",
  );
}

function stalePlan(environment: string, expected: number | null, current: number | null): FlowRunError {
  const name = (number: number | null) => (number === null ? "no release" : `release ${number}`);
  return new FlowRunError(
    "stale-plan",
    `The plan was made when ${environment} had ${name(expected)}, but it now has ${name(current)}. Plan again and look at the difference.`,
    { details: { expected, current } },
  );
}
