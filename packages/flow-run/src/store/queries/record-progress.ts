import type { Database } from "../database/index.ts";
import type { AttemptEnd, AttemptStart, RunEnd, StepRecord } from "../journal.ts";
import { insertDeliveries, notifyDeliveries, WEBHOOK_COLUMNS } from "./insert-deliveries.ts";
import { notifyEnded } from "./notify-ended.ts";

/** With documents as JSON text. */
export type StoredStep = Omit<StepRecord, "input" | "output" | "error"> & {
  input: string | null;
  output: string | null;
  error: string | null;
};
export type StoredAttemptEnd = Omit<AttemptEnd, "rawUsage" | "error"> & { rawUsage: string | null; error: string | null };
export type StoredRunEnd = Omit<RunEnd, "output" | "error"> & { output: string | null; error: string | null };

/** What one owner wants recorded of one run. */
export interface RunProgress {
  runId: string;
  epoch: number;
  steps: readonly StoredStep[];
  attemptStarts: readonly AttemptStart[];
  attemptEnds: readonly StoredAttemptEnd[];
  end: StoredRunEnd | null;
}

/** Of the rows of `source`: those whose run is in `locked`, under a condition on it. A hashed look-up whatever the planner believes about sizes. */
const lockedWhere = (source: string, condition: string) => `(${source}.ord IN (SELECT ord FROM locked WHERE ${condition})) IS TRUE`;

/**
 * Steps, attempts, bills and ends of many runs in one statement.
 *
 * - `locked`: the run rows, in one order for all writers (no deadlocks), with the verdict of the fence. Who waited for a lock sees the new epoch.
 *   `landed`: this very owner ended the run already, so an earlier answer to this statement was lost.
 * - State (steps, attempt starts, the end) is written for owned runs only. Bills (attempt ends) always.
 * - An answer from the cache begins and ends as one row; `$49` is its 0 in every sum, and null for a request that is yet to be answered.
 * - A bill grows the run's sums only through rows that this statement has changed, so that sending it twice books once.
 * - The plan is kept and must serve one row and hundreds, and tables that were empty when it was made. So sets are filtered and grouped instead of
 *   joined, and tables are reached in ways that leave no choice but the primary key: an array, a lateral sub-select, an upsert (which, for ends of
 *   attempts, never inserts: it carries the columns of the row that must be there).
 */
const SQL = `
WITH locked AS MATERIALIZED (
  SELECT w.ord,
    r.epoch = w.epoch AND r.finished_at IS NULL AS owned,
    r.epoch = w.epoch AND r.ended_epoch IS NOT DISTINCT FROM w.epoch AS landed
  FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS w (run_id, epoch, ord)
  JOIN flow_run.run AS r ON r.id = w.run_id
  ORDER BY r.id
  FOR UPDATE OF r
), new_step AS (
  INSERT INTO flow_run.step (run_id, path, seq, epoch, kind, status, input, output, error, started_at, finished_at)
  SELECT s.run_id, s.path, s.seq, s.epoch, s.kind, s.status, s.input::json, s.output::json, s.error::json,
    to_timestamp(s.started / 1000), to_timestamp(s.finished / 1000)
  FROM unnest($3::int[], $4::text[], $5::int[], $6::text[], $7::int[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::float8[],
      $14::float8[])
    AS s (ord, run_id, epoch, path, seq, kind, status, input, output, error, started, finished)
  WHERE ${lockedWhere("s", "owned")}
  ON CONFLICT DO NOTHING
  RETURNING run_id
), new_attempt AS (
  INSERT INTO flow_run.attempt (run_id, id, epoch, step_path, number, provider, model, started_at, status, estimated_nano_usd, estimated_tokens, cached,
    finished_at, cost_nano_usd, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens)
  SELECT a.run_id, a.id, a.epoch, a.step_path, a.number, a.provider, a.model, to_timestamp(a.started / 1000),
    CASE WHEN a.cached IS NULL THEN 'started' ELSE 'succeeded' END, a.estimated_nano_usd, a.estimated_tokens, a.cached IS NOT NULL,
    to_timestamp(a.started / 1000 + a.cached), a.cached, a.cached, a.cached, a.cached, a.cached, a.cached
  FROM unnest($15::int[], $16::text[], $17::int[], $18::text[], $19::text[], $20::int[], $21::text[], $22::text[], $23::float8[], $47::int8[], $48::int8[],
      $49::int[])
    AS a (ord, run_id, epoch, id, step_path, number, provider, model, started, estimated_nano_usd, estimated_tokens, cached)
  WHERE ${lockedWhere("a", "owned")}
  ON CONFLICT DO NOTHING
  RETURNING run_id, cached
), ended_attempt AS (
  INSERT INTO flow_run.attempt AS a (run_id, id, step_path, number, epoch, provider, model, started_at, status, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, reasoning_tokens, raw_usage, cost_nano_usd, price_version, error, finish_reason, response_model,
    time_to_first_token_ms, finished_at)
  SELECT e.run_id, e.id, begun.step_path, begun.number, begun.epoch, begun.provider, begun.model, begun.started_at, e.status, e.input_tokens,
    e.output_tokens, e.cache_read_tokens, e.cache_write_tokens, e.reasoning_tokens, e.raw_usage::json, e.cost_nano_usd, e.price_version,
    e.error::json, e.finish_reason, e.response_model, e.time_to_first_token_ms, to_timestamp(e.finished / 1000)
  FROM unnest($24::int[], $25::text[], $26::text[], $27::text[], $28::int8[], $29::int8[], $30::int8[], $31::int8[], $32::int8[], $33::text[], $34::int8[],
      $35::text[], $36::text[], $37::text[], $38::text[], $39::float8[], $40::float8[])
    AS e (ord, run_id, id, status, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, raw_usage, cost_nano_usd,
      price_version, error, finish_reason, response_model, time_to_first_token_ms, finished)
  CROSS JOIN LATERAL (SELECT * FROM flow_run.attempt AS b WHERE b.run_id = e.run_id AND b.id = e.id LIMIT 1) AS begun
  WHERE ${lockedWhere("e", "true")}
  ON CONFLICT (run_id, id) DO UPDATE
  SET status = excluded.status, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens, reasoning_tokens = excluded.reasoning_tokens,
    raw_usage = excluded.raw_usage, cost_nano_usd = excluded.cost_nano_usd, price_version = excluded.price_version, error = excluded.error,
    finish_reason = excluded.finish_reason, response_model = excluded.response_model, time_to_first_token_ms = excluded.time_to_first_token_ms,
    finished_at = excluded.finished_at
  WHERE a.finished_at IS NULL
  RETURNING a.run_id, a.given_up_at IS NOT NULL AS counted, a.input_tokens, a.output_tokens, a.cache_read_tokens, a.cache_write_tokens,
    a.reasoning_tokens, a.cost_nano_usd
), change AS (
  SELECT run_id, sum(calls) AS calls, sum(cache_hits) AS cache_hits, sum(unpriced_calls) AS unpriced_calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
    sum(cache_read_tokens) AS cache_read_tokens, sum(cache_write_tokens) AS cache_write_tokens, sum(reasoning_tokens) AS reasoning_tokens,
    sum(cost_nano_usd) AS cost_nano_usd, bool_or(progressed) AS progressed, max(status) AS status, max(output) AS output, max(error) AS error
  FROM (
    SELECT run_id, (NOT counted)::int AS calls, 0 AS cache_hits, (cost_nano_usd IS NULL)::int - counted::int AS unpriced_calls, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nano_usd, false AS progressed, NULL AS status, NULL AS output, NULL AS error
    FROM ended_attempt
    UNION ALL
    SELECT run_id, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, true, NULL, NULL, NULL FROM new_step
    UNION ALL
    SELECT run_id, 0, 1, 0, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL FROM new_attempt WHERE cached
    UNION ALL
    SELECT f.run_id, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, false, f.status, f.output, f.error
    FROM unnest($41::int[], $42::text[], $43::text[], $44::text[], $45::text[]) AS f (ord, run_id, status, output, error)
    WHERE ${lockedWhere("f", "owned")}
  ) AS part
  GROUP BY run_id
), changed_run AS (
  UPDATE flow_run.run AS r
  SET calls = r.calls + c.calls, cache_hits = r.cache_hits + c.cache_hits, unpriced_calls = r.unpriced_calls + c.unpriced_calls,
    input_tokens = r.input_tokens + coalesce(c.input_tokens, 0), output_tokens = r.output_tokens + coalesce(c.output_tokens, 0),
    cache_read_tokens = r.cache_read_tokens + coalesce(c.cache_read_tokens, 0), cache_write_tokens = r.cache_write_tokens + coalesce(c.cache_write_tokens, 0),
    reasoning_tokens = r.reasoning_tokens + coalesce(c.reasoning_tokens, 0), cost_nano_usd = r.cost_nano_usd + coalesce(c.cost_nano_usd, 0),
    claims_without_progress = CASE WHEN c.progressed THEN 0 ELSE r.claims_without_progress END,
    status = coalesce(c.status, r.status),
    output = CASE WHEN c.status IS NULL THEN r.output ELSE c.output::json END,
    error = CASE WHEN c.status IS NULL THEN r.error ELSE c.error::json END,
    ended_epoch = CASE WHEN c.status IS NULL THEN r.ended_epoch ELSE r.epoch END,
    finished_at = CASE WHEN c.status IS NULL THEN r.finished_at ELSE now() END
  FROM change AS c
  WHERE r.id = ANY (ARRAY(SELECT run_id FROM change)) AND r.id = c.run_id
  RETURNING r.id, c.status IS NOT NULL AS ended, ${WEBHOOK_COLUMNS}
), new_delivery AS (${insertDeliveries("SELECT * FROM changed_run WHERE ended")}
), notified AS (${notifyEnded("SELECT id FROM changed_run WHERE ended", "$46")}
    UNION ALL ${notifyDeliveries("$46")}
)
SELECT l.ord::int AS ord, l.owned OR l.landed AS held, (SELECT count(*) FROM notified) AS notified FROM locked AS l`;

/**
 * Runs must be different from each other, and an attempt not both begun and ended here. Returns for each run, in order, whether it was still this
 * owner's; if not, only the ends of its attempts were booked.
 */
export async function recordProgress(database: Database, sender: string, runs: readonly RunProgress[]): Promise<boolean[]> {
  const each = <Row>(rows: (run: RunProgress) => readonly Row[]) =>
    runs.flatMap((run, index) => rows(run).map((row) => ({ ord: index + 1, run, row })));
  const steps = each((run) => run.steps);
  const starts = each((run) => run.attemptStarts);
  const attemptEnds = each((run) => run.attemptEnds);
  const ends = each((run) => (run.end === null ? [] : [run.end]));
  const rows = await database.query<{ ord: number; held: boolean }>(
    SQL,
    [
      runs.map((run) => run.runId),
      runs.map((run) => run.epoch),
      steps.map((step) => step.ord),
      steps.map(({ run }) => run.runId),
      steps.map(({ run }) => run.epoch),
      steps.map(({ row }) => row.path),
      steps.map(({ row }) => row.seq),
      steps.map(({ row }) => row.kind),
      steps.map(({ row }) => row.status),
      steps.map(({ row }) => row.input),
      steps.map(({ row }) => row.output),
      steps.map(({ row }) => row.error),
      steps.map(({ row }) => row.startedAtMs),
      steps.map(({ row }) => row.finishedAtMs),
      starts.map((start) => start.ord),
      starts.map(({ run }) => run.runId),
      starts.map(({ run }) => run.epoch),
      starts.map(({ row }) => row.id),
      starts.map(({ row }) => row.stepPath),
      starts.map(({ row }) => row.number),
      starts.map(({ row }) => row.provider),
      starts.map(({ row }) => row.model),
      starts.map(({ row }) => row.startedAtMs),
      attemptEnds.map((end) => end.ord),
      attemptEnds.map(({ run }) => run.runId),
      attemptEnds.map(({ row }) => row.id),
      attemptEnds.map(({ row }) => row.status),
      attemptEnds.map(({ row }) => row.usage?.inputTokens),
      attemptEnds.map(({ row }) => row.usage?.outputTokens),
      attemptEnds.map(({ row }) => row.usage?.cacheReadTokens),
      attemptEnds.map(({ row }) => row.usage?.cacheWriteTokens),
      attemptEnds.map(({ row }) => row.usage?.reasoningTokens),
      attemptEnds.map(({ row }) => row.rawUsage),
      attemptEnds.map(({ row }) => row.costNanoUsd),
      attemptEnds.map(({ row }) => row.priceVersion),
      attemptEnds.map(({ row }) => row.error),
      attemptEnds.map(({ row }) => row.finishReason),
      attemptEnds.map(({ row }) => row.responseModel),
      attemptEnds.map(({ row }) => row.timeToFirstTokenMs),
      attemptEnds.map(({ row }) => row.finishedAtMs),
      ends.map((end) => end.ord),
      ends.map(({ run }) => run.runId),
      ends.map(({ row }) => row.status),
      ends.map(({ row }) => row.output),
      ends.map(({ row }) => row.error),
      sender,
      starts.map(({ row }) => row.estimate?.costNanoUsd),
      starts.map(({ row }) => row.estimate?.tokens),
      starts.map(({ row }) => (row.cached ? 0 : null)),
    ],
    { prepare: "record-progress" },
  );
  const held = new Set(rows.filter((row) => row.held).map((row) => row.ord));
  return runs.map((_, index) => held.has(index + 1));
}
