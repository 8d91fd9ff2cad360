import type { Run } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { RUN_COLUMNS, type RunRow, toRun } from "./run-columns.ts";

export interface RunName {
  environment: string;
  id: string;
}

const SQL = `
SELECT q.ord::int AS ord, ${RUN_COLUMNS}
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q (environment, id, ord)
JOIN flow_run.run AS r ON r.id = q.id AND r.environment = q.environment AND r.pruned_at IS NULL`;

/** In the order of the names; null for an unknown run. */
export async function getRuns(database: Database, names: readonly RunName[]): Promise<(Run | null)[]> {
  const rows = await database.query<RunRow & { ord: number }>(SQL, [names.map((name) => name.environment), names.map((name) => name.id)], {
    prepare: "get-runs",
  });
  const found = new Map(rows.map((row) => [row.ord, row]));
  return names.map((_, index) => {
    const row = found.get(index + 1);
    return row ? toRun(row) : null;
  });
}
