import type { Database } from "../database/index.ts";
import { JOBS_PLACEHOLDER, NEVER_EXPIRES_SECONDS } from "../queue/run-queue.ts";
import type { NewRun } from "../store.ts";
import { CHANNEL } from "./notify-ended.ts";
import { isLimited } from "./waiting-lines.ts";

export interface RunToSubmit {
  run: NewRun;
  jobId: string;
  /** `run.input` as JSON text. */
  input: string;
}

/** One statement, so one transaction: runs that are new, a job for each of them, and one wake-up for all. Rows that exist (by id or key) are left alone and not returned. */
export function submitRunsSql(insertJobsSql: string): string {
  const jobs = `(SELECT json_agg(json_build_object('id', job_id, 'priority', priority, 'expireInSeconds', ${NEVER_EXPIRES_SECONDS}, 'blocked', limited,
      'data', json_build_object('run', id))) FROM new_run)`;
  return `
WITH new_run AS (
  INSERT INTO flow_run.run (id, job_id, environment, flow, kind, release, status, input, tags, priority, idempotency_key, fingerprint,
    webhook_url, webhook_output, limited)
  SELECT id, job_id, environment, flow, kind, release, 'queued', input::json, tags::text[], priority, idempotency_key, fingerprint,
    webhook_url, webhook_output, ${isLimited("n")}
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::int[], $10::text[], $11::text[],
      $13::text[], $14::bool[])
    AS n (id, job_id, environment, flow, kind, release, input, tags, priority, idempotency_key, fingerprint, webhook_url, webhook_output)
  ON CONFLICT DO NOTHING
  RETURNING id, job_id, priority, created_at, limited
), new_job AS (${insertJobsSql.replace(JOBS_PLACEHOLDER, () => jobs)}
), woken AS (
  SELECT pg_notify('${CHANNEL}', $12::text || ' queued') WHERE EXISTS (SELECT FROM new_run)
)
SELECT id, created_at, (SELECT count(*) FROM woken) AS woken FROM new_run`;
}

/** Returns the creation times of the runs that are new, by id. */
export async function submitRuns(
  database: Pick<Database, "query">,
  sql: string,
  sender: string,
  runs: readonly RunToSubmit[],
): Promise<Map<string, Date>> {
  const rows = await database.query<{ id: string; created_at: Date }>(
    sql,
    [
      runs.map(({ run }) => run.id),
      runs.map(({ jobId }) => jobId),
      runs.map(({ run }) => run.environment),
      runs.map(({ run }) => run.flow),
      runs.map(({ run }) => run.kind),
      runs.map(({ run }) => run.release),
      runs.map(({ input }) => input),
      runs.map(({ run }) => textArray(run.tags)),
      runs.map(({ run }) => run.priority),
      runs.map(({ run }) => run.idempotencyKey),
      runs.map(({ run }) => run.fingerprint),
      sender,
      runs.map(({ run }) => run.webhook?.url ?? null),
      runs.map(({ run }) => run.webhook?.includeOutput ?? false),
    ],
    { prepare: "submit-runs" },
  );
  return new Map(rows.map((row) => [row.id, row.created_at]));
}

/** An array of texts inside an array of texts: as PostgreSQL writes it. */
function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
