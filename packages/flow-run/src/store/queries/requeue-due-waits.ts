import type { Database } from "../database/index.ts";
import { insertWokenJobs } from "./insert-woken-jobs.ts";
import { CHANNEL } from "./notify-ended.ts";

/** How many at a time; the next call takes the rest. */
export const DUE_BATCH = 1_000;

/** Waiting runs whose moment has come get a job again. `$1` the sender. One look into an index of waiting runs only. */
export function requeueDueWaitsSql(insertJobsSql: string): string {
  return `
WITH due AS MATERIALIZED (
  SELECT r.id FROM flow_run.run AS r WHERE r.wake_at <= clock_timestamp() ORDER BY r.wake_at LIMIT ${DUE_BATCH} FOR UPDATE OF r SKIP LOCKED
), requeued AS (
  UPDATE flow_run.run AS r SET status = 'queued', wake_at = NULL, job_id = gen_random_uuid() FROM due AS d
  WHERE r.id = d.id AND r.status = 'waiting'
  RETURNING r.id, r.job_id, r.priority, r.limited AS blocked
), new_job AS (${insertWokenJobs(insertJobsSql, "requeued")}
), woken AS (
  SELECT pg_notify('${CHANNEL}', $1::text || ' queued') WHERE EXISTS (SELECT FROM requeued)
)
SELECT count(*)::int AS requeued, (SELECT count(*) FROM woken) AS woken FROM requeued`;
}

export async function requeueDueWaits(database: Database, sql: string, sender: string): Promise<number> {
  const [row] = await database.query<{ requeued: number }>(sql, [sender]);
  return row?.requeued ?? 0;
}
