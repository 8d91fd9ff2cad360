import { JOBS_PLACEHOLDER, NEVER_EXPIRES_SECONDS } from "../queue/run-queue.ts";

/** SQL that gives a job to each row of `source` (columns `id`, `job_id`, `priority`, `blocked`): part of the statement that decided so. */
export function insertWokenJobs(insertJobsSql: string, source: string): string {
  const jobs = `(SELECT json_agg(json_build_object('id', job_id, 'priority', priority, 'expireInSeconds', ${NEVER_EXPIRES_SECONDS}, 'blocked', blocked,
      'data', json_build_object('run', id))) FROM ${source})`;
  return insertJobsSql.replace(JOBS_PLACEHOLDER, () => jobs);
}
