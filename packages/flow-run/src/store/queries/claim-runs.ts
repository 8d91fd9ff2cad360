import type { FlowKind, Json } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { insertDeliveries, notifyDeliveries } from "./insert-deliveries.ts";
import { notifyEnded } from "./notify-ended.ts";

/** Claims in a row without a recorded step, after which a run is ended: it kills its workers. */
export const CLAIMS_WITHOUT_PROGRESS = 5;

/** One fetched job, and the run that was claimed with it. */
export interface ClaimRow {
  job_id: string;
  retry_count: number;
  /** null: the job's run has ended, is gone, or has another job. */
  run: null | {
    id: string;
    epoch: number;
    environment: string;
    flow: string;
    kind: FlowKind;
    release: number;
    input: Json;
    createdAtMs: number;
    startedAtMs: number;
    spent: { costNanoUsd: number; tokens: number };
    /** Ended by this claim instead of executed. */
    poisoned: boolean;
  };
}

/**
 * Fetches jobs and claims their runs in one statement. `$1` how many, `$2` sender, `$3` the error of a poisoned run.
 * The runs are reached by their key whatever the planner believes (a lateral sub-select, an array).
 * Waiting for a run's lock means waiting for the last write of its former owner; what that wrote is read by a later statement with its own snapshot.
 */
export function claimRunsSql(fetchJobsSql: string): string {
  return `
WITH job AS (${fetchJobsSql}
), locked AS MATERIALIZED (
  SELECT r.id, r.poisoned
  FROM (SELECT id, data ->> 'run' AS run_id FROM job ORDER BY data ->> 'run') AS j
  CROSS JOIN LATERAL (
    SELECT r.id, r.job_id, r.finished_at, r.claims_without_progress >= ${CLAIMS_WITHOUT_PROGRESS} AS poisoned FROM flow_run.run AS r
    WHERE r.id = j.run_id
    FOR UPDATE
  ) AS r
  WHERE r.finished_at IS NULL AND r.job_id = j.id
), claimed AS (
  UPDATE flow_run.run AS r
  SET epoch = r.epoch + 1,
    claims_without_progress = r.claims_without_progress + 1,
    started_at = coalesce(r.started_at, now()),
    status = CASE WHEN l.poisoned THEN 'failed' ELSE 'running' END,
    error = CASE WHEN l.poisoned THEN $3::json ELSE r.error END,
    finished_at = CASE WHEN l.poisoned THEN now() ELSE r.finished_at END
  FROM locked AS l
  WHERE r.id = ANY (ARRAY(SELECT id FROM locked)) AND r.id = l.id
  RETURNING r.*, l.poisoned
), new_delivery AS (${insertDeliveries("SELECT * FROM claimed WHERE poisoned")}
), notified AS (${notifyEnded("SELECT id FROM claimed WHERE poisoned", "$2")}
    UNION ALL ${notifyDeliveries("$2")}
)
SELECT job.id AS job_id, job."retryCount" AS retry_count, c.id, c.epoch, c.environment, c.flow, c.kind, c.release, c.input,
  extract(epoch FROM c.created_at)::float8 * 1000 AS created_ms, extract(epoch FROM c.started_at)::float8 * 1000 AS started_ms, c.poisoned,
  c.cost_nano_usd::float8 AS spent_nano_usd,
  (c.input_tokens + c.output_tokens + c.cache_read_tokens + c.cache_write_tokens + c.reasoning_tokens)::float8 AS spent_tokens,
  (SELECT count(*) FROM notified) AS notified
FROM job LEFT JOIN claimed AS c ON c.job_id = job.id`;
}

interface Columns {
  job_id: string;
  retry_count: number;
  id: string | null;
  epoch: number;
  environment: string;
  flow: string;
  kind: FlowKind;
  release: number;
  input: Json;
  created_ms: number;
  started_ms: number;
  spent_nano_usd: number;
  spent_tokens: number;
  poisoned: boolean;
}

export async function claimRuns(database: Database, sql: string, sender: string, limit: number, poisoned: Json): Promise<ClaimRow[]> {
  const rows = await database.query<Columns>(sql, [limit, sender, JSON.stringify(poisoned)], { prepare: "claim-runs" });
  return rows.map((row) => ({
    job_id: row.job_id,
    retry_count: row.retry_count,
    run:
      row.id === null
        ? null
        : {
            id: row.id,
            epoch: row.epoch,
            environment: row.environment,
            flow: row.flow,
            kind: row.kind,
            release: row.release,
            input: row.input,
            createdAtMs: Math.floor(row.created_ms),
            startedAtMs: Math.floor(row.started_ms),
            spent: { costNanoUsd: row.spent_nano_usd, tokens: row.spent_tokens },
            poisoned: row.poisoned,
          },
  }));
}
