import type { Database } from "../database/index.ts";
import { QUEUE } from "../queue/run-queue.ts";
import { insertWokenJobs } from "./insert-woken-jobs.ts";
import { CHANNEL } from "./notify-ended.ts";

/** How many at a time; the next call takes the rest. */
const BATCH = 1_000;

/** Unfinished runs whose job is gone get a new one, under a new id, so that the old one could not come back to them. Runs that wait have none by right,
 * unless what they waited for has come. `$1` the sender. */
export function requeueOrphansSql(insertJobsSql: string): string {
  return `
WITH orphan AS MATERIALIZED (
  SELECT r.id FROM flow_run.run AS r
  WHERE r.finished_at IS NULL
    AND (r.status <> 'waiting' OR EXISTS (
      SELECT FROM flow_run.wait AS w WHERE w.run_id = r.id AND w.delivered_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM flow_run.step AS s WHERE s.run_id = w.run_id AND s.path = w.path)))
    AND NOT EXISTS (SELECT FROM pgboss.job AS j WHERE j.name = '${QUEUE}' AND j.id = r.job_id AND j.state <= 'active')
  ORDER BY r.id
  LIMIT ${BATCH}
  FOR UPDATE OF r SKIP LOCKED
), requeued AS (
  UPDATE flow_run.run AS r
  SET job_id = gen_random_uuid(), status = CASE WHEN r.status = 'waiting' THEN 'queued' ELSE r.status END, wake_at = NULL
  FROM orphan AS o WHERE r.id = o.id
  RETURNING r.id, r.job_id, r.priority, r.limited AND r.status = 'queued' AS blocked
), new_job AS (${insertWokenJobs(insertJobsSql, "requeued")}
), woken AS (
  SELECT pg_notify('${CHANNEL}', $1::text || ' queued') WHERE EXISTS (SELECT FROM requeued)
)
SELECT count(*)::int AS requeued, (SELECT count(*) FROM woken) AS woken FROM requeued`;
}

export async function requeueOrphans(database: Database, sql: string, sender: string): Promise<number> {
  const [row] = await database.query<{ requeued: number }>(sql, [sender]);
  return row?.requeued ?? 0;
}
