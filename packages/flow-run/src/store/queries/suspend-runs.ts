import type { Database } from "../database/index.ts";
import { QUEUE } from "../queue/run-queue.ts";
import { insertWokenJobs } from "./insert-woken-jobs.ts";
import { CHANNEL } from "./notify-ended.ts";
import { LOCK_OWNED } from "./open-waits.ts";

export interface RunToSuspend {
  runId: string;
  epoch: number;
  /** The waits that the run stands at. */
  paths: readonly string[];
  /** When the run as a whole must have ended; epoch milliseconds. */
  deadlineMs: number | null;
}

/**
 * Takes the job and the owner from runs that only wait. A run of which a wait was delivered or fell due before the lock was ours gets a new job in the same
 * statement: from the outside there is no moment at which it waits for something that has already happened.
 * Suspending is no failed claim, so the claim is not counted. A limited run gives its slot back.
 */
export function suspendRunsSql(insertJobsSql: string): string {
  return `
WITH asked AS (
  SELECT r.id, r.job_id AS old_job_id, a.deadline
  FROM unnest($1::text[], $2::int[], $3::float8[]) AS a (run_id, epoch, deadline)
  JOIN flow_run.run AS r ON r.id = a.run_id AND r.epoch = a.epoch
  WHERE r.finished_at IS NULL AND r.status = 'running'
), standing AS (
  SELECT p.run_id, min(w.due_at) AS due_at, coalesce(bool_or(w.run_id IS NULL OR w.delivered_at IS NOT NULL OR w.due_at <= clock_timestamp()), true) AS awake
  FROM unnest($4::text[], $5::text[]) AS p (run_id, path)
  LEFT JOIN flow_run.wait AS w ON w.run_id = p.run_id AND w.path = p.path
  GROUP BY p.run_id
), suspended AS (
  UPDATE flow_run.run AS r
  SET status = CASE WHEN s.awake THEN 'queued' ELSE 'waiting' END,
    wake_at = CASE WHEN s.awake THEN NULL ELSE least(s.due_at, to_timestamp(a.deadline / 1000)) END,
    job_id = CASE WHEN s.awake THEN gen_random_uuid() ELSE r.job_id END,
    claims_without_progress = greatest(0, r.claims_without_progress - 1)
  FROM asked AS a JOIN standing AS s ON s.run_id = a.id
  WHERE r.id = a.id
  RETURNING r.id, r.job_id, r.priority, r.limited AS blocked, a.old_job_id, s.awake
), gone AS (
  DELETE FROM pgboss.job AS j USING suspended AS s WHERE j.name = '${QUEUE}' AND j.id = s.old_job_id
), awake AS (
  SELECT id, job_id, priority, blocked FROM suspended WHERE awake
), new_job AS (${insertWokenJobs(insertJobsSql, "awake")}
), woken AS (
  SELECT pg_notify('${CHANNEL}', $6::text || ' queued') WHERE EXISTS (SELECT FROM suspended WHERE awake OR blocked)
)
SELECT (SELECT count(*)::int FROM suspended WHERE awake OR blocked) AS ready, (SELECT count(*) FROM woken) AS woken`;
}

/** Runs must be different from each other. Returns for each, in order, whether it was still this owner's, and how many have a job again or have given a slot back. */
export async function suspendRuns(
  database: Database,
  sql: string,
  sender: string,
  runs: readonly RunToSuspend[],
): Promise<{ held: boolean[]; ready: number }> {
  const ids = runs.map((run) => run.runId);
  const epochs = runs.map((run) => run.epoch);
  const standing = runs.flatMap((run) => run.paths.map((path) => ({ id: run.runId, path })));
  const [owned, [counted]] = (await database.batch([
    [LOCK_OWNED, [ids, epochs]],
    [sql, [ids, epochs, runs.map((run) => run.deadlineMs), standing.map(({ id }) => id), standing.map(({ path }) => path), sender]],
  ])) as [{ ord: number }[], { ready: number }[]];
  const held = new Set(owned.map((row) => row.ord));
  return { held: runs.map((_, index) => held.has(index + 1)), ready: counted?.ready ?? 0 };
}
