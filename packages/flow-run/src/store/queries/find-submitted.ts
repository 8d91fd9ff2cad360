import type { Run } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import type { NewRun } from "../store.ts";
import { RUN_COLUMNS, type RunRow, toRun } from "./run-columns.ts";

const SQL = `
SELECT q.ord::int AS ord, ${RUN_COLUMNS}, r.fingerprint
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS q (environment, id, idempotency_key, ord)
JOIN flow_run.run AS r ON r.environment = q.environment AND (r.id = q.id OR r.idempotency_key = q.idempotency_key)`;

/** The runs that stand where these could not be inserted: themselves, after a lost answer, or an earlier one with the same key. In the order of `runs`. */
export async function findSubmitted(
  database: Database,
  runs: readonly Pick<NewRun, "environment" | "id" | "idempotencyKey">[],
): Promise<({ run: Run; fingerprint: string } | null)[]> {
  const rows = await database.query<RunRow & { ord: number; fingerprint: string }>(SQL, [
    runs.map((run) => run.environment),
    runs.map((run) => run.id),
    runs.map((run) => run.idempotencyKey),
  ]);
  const found = new Map(rows.map((row) => [row.ord, { run: toRun(row), fingerprint: row.fingerprint }]));
  return runs.map((_, index) => found.get(index + 1) ?? null);
}
