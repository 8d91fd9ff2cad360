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

/** What became of a run that is new. `taken`: as after its first claim, for the process that submitted it. */
export interface NewRunRow {
  createdAt: Date;
  taken: boolean;
}

/**
 * One statement, so one transaction: runs that are new, a job for each of them, and one wake-up for all. Rows that exist (by id or key) are left alone and
 * not returned. The first `$15` runs are taken with it, unless they need a slot: inserted as a claim would leave them, their jobs as a fetch would.
 */
export function submitRunsSql(insertJobsSql: string): string {
  const jobs = `(SELECT json_agg(json_build_object('id', job_id, 'priority', priority, 'expireInSeconds', ${NEVER_EXPIRES_SECONDS}, 'blocked', limited,
      'taken', status = 'running', 'data', json_build_object('run', id))) FROM new_run)`;
  return `
WITH new_run AS (
  INSERT INTO flow_run.run (id, job_id, environment, flow, kind, release, status, input, tags, priority, idempotency_key, fingerprint,
    webhook_url, webhook_output, limited, epoch, claims_without_progress, started_at)
  SELECT id, job_id, environment, flow, kind, release, CASE WHEN taken THEN 'running' ELSE 'queued' END, input::json, tags::text[], priority,
    idempotency_key, fingerprint, webhook_url, webhook_output, limited, taken::int, taken::int, CASE WHEN taken THEN now() END
  FROM (SELECT n.*, l.limited, n.ord <= $15::int AND NOT l.limited AS taken FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::int[], $10::text[], $11::text[],
      $13::text[], $14::bool[]) WITH ORDINALITY
    AS n (id, job_id, environment, flow, kind, release, input, tags, priority, idempotency_key, fingerprint, webhook_url, webhook_output, ord)
    CROSS JOIN LATERAL (SELECT ${isLimited("n")} AS limited) AS l) AS n
  ON CONFLICT DO NOTHING
  RETURNING id, job_id, priority, created_at, limited, status
), new_job AS (${insertJobsSql.replace(JOBS_PLACEHOLDER, () => jobs)}
), woken AS (
  SELECT pg_notify('${CHANNEL}', $12::text || ' queued') WHERE EXISTS (SELECT FROM new_run WHERE status = 'queued')
)
SELECT id, created_at, status = 'running' AS taken, (SELECT count(*) FROM woken) AS woken FROM new_run`;
}

/** Returns the runs that are new, by id. `take`: how many of the first may be taken at once. */
export async function submitRuns(
  database: Pick<Database, "query">,
  sql: string,
  sender: string,
  runs: readonly RunToSubmit[],
  take = 0,
): Promise<Map<string, NewRunRow>> {
  const rows = await database.query<{ id: string; created_at: Date; taken: boolean }>(
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
      take,
    ],
    { prepare: "submit-runs" },
  );
  return new Map(rows.map(({ id, created_at, taken }) => [id, { createdAt: created_at, taken }]));
}

/** An array of texts inside an array of texts: as PostgreSQL writes it. */
function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
