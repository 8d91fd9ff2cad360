import type { Database } from "../database/index.ts";
import { type ClaimedDelivery, DELIVERY_LEASE_SECONDS } from "../webhook-store.ts";
import { RUN_COLUMNS, type RunRow, toRun } from "./run-columns.ts";

/**
 * Takes deliveries that are due, the longest due first, and begins an attempt of each. `$1` how many, `$2` of one endpoint at most, `$3` and `$4` how many
 * are under way by endpoint.
 *
 * Endpoints are enumerated by jumping from one to the next in the index, so that a hundred thousand deliveries that wait for a slow one cost nothing
 * to step over. Rows that another process is taking are skipped. The lease is the next due time: what is not settled until then is taken again.
 */
const SQL = `
WITH RECURSIVE endpoint AS (
  (SELECT d.endpoint FROM flow_run.webhook_delivery AS d WHERE d.status = 'pending' ORDER BY d.endpoint LIMIT 1)
  UNION ALL
  SELECT (SELECT d.endpoint FROM flow_run.webhook_delivery AS d WHERE d.status = 'pending' AND d.endpoint > e.endpoint ORDER BY d.endpoint LIMIT 1)
  FROM endpoint AS e WHERE e.endpoint IS NOT NULL
), room AS (
  SELECT e.endpoint, greatest(0, $2::int - coalesce(b.count, 0)) AS free
  FROM endpoint AS e LEFT JOIN unnest($3::text[], $4::int[]) AS b (endpoint, count) ON b.endpoint = e.endpoint
  WHERE e.endpoint IS NOT NULL
), due AS MATERIALIZED (
  SELECT d.id
  FROM room AS r
  CROSS JOIN LATERAL (
    SELECT d.id, d.next_attempt_at FROM flow_run.webhook_delivery AS d
    WHERE d.status = 'pending' AND d.endpoint = r.endpoint AND d.next_attempt_at <= now()
    ORDER BY d.next_attempt_at
    LIMIT r.free
    FOR UPDATE SKIP LOCKED
  ) AS d
  ORDER BY d.next_attempt_at
  LIMIT $1::int
), claimed AS (
  UPDATE flow_run.webhook_delivery AS d
  SET attempts = d.attempts + 1, series_attempts = d.series_attempts + 1,
    leased_until = now() + interval '${DELIVERY_LEASE_SECONDS} seconds', next_attempt_at = now() + interval '${DELIVERY_LEASE_SECONDS} seconds'
  WHERE d.id = ANY (ARRAY(SELECT id FROM due))
  RETURNING d.*
), begun AS (
  INSERT INTO flow_run.webhook_attempt (delivery_id, number) SELECT id, attempts FROM claimed
)
SELECT c.id AS delivery_id, c.url, c.endpoint, c.include_output, c.attempts, c.series_attempts,
  EXISTS (SELECT FROM flow_run.webhook_endpoint AS e WHERE e.environment = c.environment AND e.url = c.url) AS disabled,
  ${RUN_COLUMNS}
FROM claimed AS c JOIN flow_run.run AS r ON r.id = c.run_id`;

type Columns = RunRow & {
  delivery_id: string;
  url: string;
  endpoint: string;
  include_output: boolean;
  attempts: number;
  series_attempts: number;
  disabled: boolean;
};

export async function claimDeliveries(
  database: Database,
  { limit, perEndpoint, underWay }: { limit: number; perEndpoint: number; underWay: ReadonlyMap<string, number> },
): Promise<ClaimedDelivery[]> {
  const rows = await database.query<Columns>(SQL, [limit, perEndpoint, [...underWay.keys()], [...underWay.values()]]);
  return rows.map((row) => ({
    id: row.delivery_id,
    url: row.url,
    endpoint: row.endpoint,
    includeOutput: row.include_output,
    attempt: row.attempts,
    seriesAttempt: row.series_attempts,
    disabled: row.disabled,
    run: toRun(row),
  }));
}
