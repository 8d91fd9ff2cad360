import type { FlowKind, Json } from "@flow-run/spec";
import type { Database, Statement } from "../database/index.ts";
import type { FetchSql } from "../queue/fetch-sql.ts";
import { QUEUE } from "../queue/run-queue.ts";
import { insertDeliveries, notifyDeliveries } from "./insert-deliveries.ts";
import { notifyEnded } from "./notify-ended.ts";
import { HOLD_SLOTS, isLimited, lineEntries, RUNS_IN_LINE } from "./waiting-lines.ts";

/** Claims in a row without a recorded step, after which a run is ended: it kills its workers. */
export const CLAIMS_WITHOUT_PROGRESS = 5;

/** Claims in a row that ended with their worker, after which a run is a suspect: it may be what killed them, or have stood beside it. */
const CLAIMS_OF_A_SUSPECT = 2;

/** What the reserved share is for: runs that have waited for so long. */
const AGED_AFTER = "now() - interval '60 seconds'";

/** One fetched job, and the run that was claimed with it. */
export interface ClaimRow {
  job_id: string;
  retry_count: number;
  /** Not to be executed now: its job is to be set aside. */
  aside: null | "line" | "suspect";
  /** null: set aside; or the job's run has ended, is gone, or has another job. */
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
    elapsedMs: number;
    spent: { costNanoUsd: number; tokens: number };
    suspect: boolean;
    /** Ended by this claim instead of executed. */
    poisoned: boolean;
  };
}

export interface Claim {
  /** Jobs to fetch at most. */
  limit: number;
  /** How many of them may be suspects. */
  suspects: number;
  /** How many of them go to whoever has waited longest, for more than a minute, whatever the priorities. */
  agedShare: number;
}

const job = (state: string, blocked: string, more: string, count: string) => `
    SELECT j.ctid, j.id, j.priority, j.created_on FROM pgboss.job_common AS j
    WHERE j.name = '${QUEUE}' AND j.state = ${state} AND ${blocked} AND j.start_after <= ${more}
    ORDER BY j.start_after LIMIT (SELECT ${count}::int) FOR UPDATE OF j SKIP LOCKED`;

/**
 * Fetches jobs and claims their runs in one statement. `$1` how many, `$2` sender, `$3` the error of a poisoned run, `$4` suspects, `$5` share of the aged.
 * - `chosen`: suspects and the aged first, then by priority. Runs in line are among them only with `lines`, for which `HOLD_SLOTS` must have come before.
 * - `locked`: the runs with what is to become of them. Runs and jobs are reached by their keys whatever was believed of the tables when the plan was made:
 *   by a lateral sub-select without any other condition, by their place.
 *   Waiting for a run's lock means waiting for the last write of its former owner; what that wrote is read by a later statement with its own snapshot.
 */
export function claimRunsSql(fetch: FetchSql, { lines }: { lines: boolean }): string {
  const chosen = `
    SELECT c.ctid FROM (
      SELECT s.ctid, 0 AS class, 0 AS priority, s.created_on FROM suspect AS s
      UNION ALL SELECT a.ctid, 1, 0, a.created_on FROM aged AS a
      UNION ALL SELECT g.ctid, 2, g.priority, g.created_on FROM general AS g WHERE g.ctid <> ALL (ARRAY(SELECT a.ctid FROM aged AS a))
      ${lines ? "UNION ALL SELECT e.ctid, CASE WHEN e.aged THEN 1 ELSE 2 END, CASE WHEN e.aged THEN 0 ELSE e.priority END, e.created_on FROM entry AS e" : ""}
    ) AS c ORDER BY c.class, c.priority DESC, c.created_on LIMIT $1::int`;
  return `
WITH ${lines ? "RECURSIVE" : ""} suspect AS MATERIALIZED (${job("'retry'", "j.blocked", "now()", "$4")}
), aged AS MATERIALIZED (
  SELECT * FROM (${job("'retry'", "NOT j.blocked", AGED_AFTER, "$5")}) AS r
  UNION ALL
  SELECT * FROM (${job("'created'", "NOT j.blocked", AGED_AFTER, "$5")}) AS c
  ORDER BY created_on LIMIT $5::int
), general AS MATERIALIZED (${fetch.next}
), ${lines ? `${lineEntries("$5::int", AGED_AFTER)}, ` : ""}job AS (${fetch.take(chosen)}
), locked AS MATERIALIZED (
  SELECT j.id AS job_id, j.retry_count, r.id, r.suspect, CASE WHEN r.job_id = j.id THEN r.verdict ELSE 'gone' END AS verdict
  FROM (SELECT job.id, job.data ->> 'run' AS run_id, job."retryCount" AS retry_count, job.id IN (SELECT id FROM suspect) AS is_suspect,
      ${lines ? "job.id IN (SELECT id FROM entry)" : "false"} AS has_slot
    FROM job ORDER BY job.data ->> 'run') AS j
  CROSS JOIN LATERAL (
    SELECT r.id, r.job_id, j.is_suspect AND r.claims_without_progress >= ${CLAIMS_OF_A_SUSPECT} AS suspect, CASE
        WHEN r.finished_at IS NOT NULL THEN 'gone'
        WHEN r.claims_without_progress >= ${CLAIMS_WITHOUT_PROGRESS} THEN 'poisoned'
        WHEN r.status = 'running' AND r.claims_without_progress >= ${CLAIMS_OF_A_SUSPECT} AND NOT j.is_suspect THEN 'suspect'
        WHEN r.status = 'queued' AND NOT j.has_slot AND ${isLimited("r")} THEN 'line'
        ELSE 'claim' END AS verdict
    FROM flow_run.run AS r
    WHERE r.id = j.run_id
    FOR UPDATE OF r
  ) AS r
), claimed AS (
  UPDATE flow_run.run AS r
  SET epoch = r.epoch + 1,
    claims_without_progress = r.claims_without_progress + 1,
    started_at = coalesce(r.started_at, now()),
    status = CASE WHEN l.verdict = 'poisoned' THEN 'failed' ELSE 'running' END,
    error = CASE WHEN l.verdict = 'poisoned' THEN $3::json ELSE r.error END,
    finished_at = CASE WHEN l.verdict = 'poisoned' THEN now() ELSE r.finished_at END
  FROM locked AS l
  WHERE r.id = l.id AND l.verdict IN ('claim', 'poisoned')
  RETURNING r.*, l.retry_count, l.suspect, l.verdict = 'poisoned' AS poisoned
), new_delivery AS (${insertDeliveries("SELECT * FROM claimed WHERE poisoned")}
), notified AS (${notifyEnded("SELECT id FROM claimed WHERE poisoned", "$2")}
    UNION ALL ${notifyDeliveries("$2")}
)
SELECT c.job_id, c.retry_count, NULL AS aside, c.id, c.epoch, c.environment, c.flow, c.kind, c.release, c.input,
  extract(epoch FROM c.created_at)::float8 * 1000 AS created_ms, extract(epoch FROM c.started_at)::float8 * 1000 AS started_ms,
  extract(epoch FROM now() - c.started_at)::float8 * 1000 AS elapsed_ms, c.suspect, c.poisoned,
  c.cost_nano_usd::float8 AS spent_nano_usd,
  (c.input_tokens + c.output_tokens + c.cache_read_tokens + c.cache_write_tokens + c.reasoning_tokens)::float8 AS spent_tokens, NULL::bool AS lines
FROM claimed AS c
UNION ALL
SELECT job.id, job."retryCount", (SELECT l.verdict FROM locked AS l WHERE l.job_id = job.id AND l.verdict IN ('line', 'suspect')),
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM job WHERE job.id <> ALL (ARRAY(SELECT c.job_id FROM claimed AS c))
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, (SELECT count(*) FROM notified)::float8,
  ${lines ? "EXISTS (SELECT FROM line)" : RUNS_IN_LINE}`;
}

interface Columns {
  /** null: the one row that tells of `lines`. */
  job_id: string | null;
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
  elapsed_ms: number;
  spent_nano_usd: number;
  spent_tokens: number;
  suspect: boolean;
  poisoned: boolean;
  aside: ClaimRow["aside"];
  lines: boolean | null;
}

/** `inLine`: runs stand in lines. With `lines` the statement of that kind is sent, which lets them out. */
export async function claimRuns(
  database: Database,
  sql: string,
  sender: string,
  poisoned: Json,
  { limit, suspects, agedShare, lines }: Claim & { lines: boolean },
): Promise<{ rows: ClaimRow[]; inLine: boolean }> {
  const params = [limit, sender, JSON.stringify(poisoned), suspects, agedShare];
  const statements: Statement[] = [[HOLD_SLOTS], [sql, params]];
  const rows = lines
    ? ((await database.batch(statements))[1] as unknown as Columns[])
    : await database.query<Columns>(sql, params, { prepare: "claim-runs" });
  return {
    rows: rows.flatMap((row) => (row.job_id === null ? [] : [toClaimRow(row, row.job_id)])),
    inLine: rows.some((row) => row.lines === true),
  };
}

function toClaimRow(row: Columns, jobId: string): ClaimRow {
  const { id, retry_count, aside } = row;
  return {
    job_id: jobId,
    retry_count,
    aside,
    run:
      id === null
        ? null
        : {
            id,
            epoch: row.epoch,
            environment: row.environment,
            flow: row.flow,
            kind: row.kind,
            release: row.release,
            input: row.input,
            createdAtMs: Math.floor(row.created_ms),
            startedAtMs: Math.floor(row.started_ms),
            elapsedMs: Math.max(0, row.elapsed_ms),
            spent: { costNanoUsd: row.spent_nano_usd, tokens: row.spent_tokens },
            suspect: row.suspect,
            poisoned: row.poisoned,
          },
  };
}
