import type { Database } from "../database/index.ts";
import { QUEUE } from "../queue/run-queue.ts";

/** A fetched job whose run must not be executed now. */
export interface JobToSetAside {
  jobId: string;
  retryCount: number;
  /** `line`: needs a slot, and stands in line for it. `suspect`: is executed when no other suspect is. */
  why: "line" | "suspect";
}

/**
 * Blocks the jobs, so that they are not fetched again but chosen. State tells one kind from the other: `created` stands in line, `retry` is a suspect.
 * Whoever dies before this leaves an active job, which is handed out again like any other.
 */
const SQL = `
WITH aside AS (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::bool[]) AS a (job_id, retry_count, in_line)
), job AS (
  UPDATE pgboss.job_common AS j
  SET blocked = true, state = CASE WHEN a.in_line THEN 'created'::pgboss.job_state ELSE 'retry' END, heartbeat_on = NULL
  FROM aside AS a
  WHERE j.name = '${QUEUE}' AND j.id = ANY ($1::uuid[]) AND j.id = a.job_id AND j.state = 'active' AND j.retry_count = a.retry_count
  RETURNING j.data ->> 'run' AS run_id, j.id, a.in_line
)
UPDATE flow_run.run AS r SET limited = true FROM job
WHERE r.id = ANY (ARRAY(SELECT run_id FROM job)) AND r.id = job.run_id AND job.in_line AND r.job_id = job.id AND r.status = 'queued'`;

export async function setAside(database: Database, jobs: readonly JobToSetAside[]): Promise<void> {
  await database.query(SQL, [jobs.map((job) => job.jobId), jobs.map((job) => job.retryCount), jobs.map((job) => job.why === "line")]);
}
