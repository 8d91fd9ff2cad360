import type { Transaction } from "../database/index.ts";

/**
 * The limits of a release: what the environment says of a flow comes before what the flow says of itself. The row of the whole environment is there as long
 * as a flow is limited, and as long as runs stand in line that nothing limits any more: they leave it with the next claim.
 */
const SQL = `
WITH release AS MATERIALIZED (
  SELECT r.bundle, r.bundle #> ARRAY['environments', $1, 'limits'] AS own FROM flow_run.release AS r WHERE r.environment = $1 AND r.number = $2
), of_environment AS (
  SELECT f.key AS flow, f.value::text::int AS concurrency FROM release AS r, json_each(r.own -> 'flows') AS f
), of_flow AS (
  SELECT * FROM of_environment
  UNION ALL
  SELECT f.key, (f.value ->> 'concurrency')::int FROM release AS r, json_each(r.bundle -> 'flows') AS f
  WHERE f.value ->> 'concurrency' IS NOT NULL AND f.key NOT IN (SELECT flow FROM of_environment)
), wanted AS (
  SELECT * FROM of_flow
  UNION ALL
  SELECT '', (r.own ->> 'concurrency')::int FROM release AS r
  WHERE r.own ->> 'concurrency' IS NOT NULL OR EXISTS (SELECT FROM of_flow)
    OR EXISTS (SELECT FROM flow_run.run AS w WHERE w.line = 'queued' AND w.environment = $1)
), gone AS (
  DELETE FROM flow_run.concurrency_limit AS c WHERE c.environment = $1 AND c.flow NOT IN (SELECT flow FROM wanted)
)
INSERT INTO flow_run.concurrency_limit (environment, flow, concurrency) SELECT $1, flow, concurrency FROM wanted
ON CONFLICT (environment, flow) DO UPDATE SET concurrency = excluded.concurrency`;

/** Makes the limits of a release those of its environment. For whoever makes it the current one, in the same transaction. */
export async function setConcurrencyLimits(tx: Transaction, environment: string, release: number): Promise<void> {
  await tx.query(SQL, [environment, release]);
}
