import type { Database } from "../database/index.ts";
import type { AttemptEnd, AttemptStart, RunEnd, StepRecord } from "../journal.ts";
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

/**
 * Steps, attempts, bills and ends of many runs in one statement.
 *
 * - `locked`: the run rows, in one order for all writers (no deadlocks), with the verdict of the fence. Who waited for a lock sees the new epoch.
 *   `landed`: this very owner ended the run already, so an earlier answer to this statement was lost.
 * - State (steps, attempt starts, the end) is written for owned runs only. Bills (attempt ends) always.
 * - A bill grows the run's sums only through rows that this statement has changed, so that sending it twice books once.
 */
const SQL = `
WITH locked AS MATERIALIZED (
  SELECT w.ord, r.id, w.epoch,
    r.epoch = w.epoch AND r.finished_at IS NULL AS owned,
    r.epoch = w.epoch AND r.ended_epoch IS NOT DISTINCT FROM w.epoch AS landed
  FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS w (run_id, epoch, ord)
  JOIN flow_run.run AS r ON r.id = w.run_id
  ORDER BY r.id
  FOR UPDATE OF r
), new_step AS (
  INSERT INTO flow_run.step (run_id, path, seq, epoch, kind, status, input, output, error, started_at, finished_at)
  SELECT l.id, s.path, s.seq, l.epoch, s.kind, s.status, s.input::json, s.output::json, s.error::json,
    to_timestamp(s.started / 1000), to_timestamp(s.finished / 1000)
  FROM unnest($3::int[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::float8[], $12::float8[])
    AS s (ord, path, seq, kind, status, input, output, error, started, finished)
  JOIN locked AS l ON l.ord = s.ord AND l.owned
  ON CONFLICT DO NOTHING
  RETURNING run_id
), attempt_end AS MATERIALIZED (
  SELECT l.id AS run_id, e.*, to_timestamp(e.finished / 1000) AS finished_at
  FROM unnest($20::int[], $21::text[], $22::text[], $23::int8[], $24::int8[], $25::int8[], $26::int8[], $27::int8[], $28::text[], $29::int8[], $30::text[],
      $31::text[], $32::text[], $33::text[], $34::float8[], $35::float8[])
    AS e (ord, id, status, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, raw_usage, cost_nano_usd, price_version,
      error, finish_reason, response_model, time_to_first_token_ms, finished)
  JOIN locked AS l ON l.ord = e.ord
), new_attempt AS (
  INSERT INTO flow_run.attempt (run_id, id, step_path, number, epoch, provider, model, started_at, status, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, reasoning_tokens, raw_usage, cost_nano_usd, price_version, error, finish_reason, response_model, time_to_first_token_ms, finished_at)
  SELECT l.id, a.id, a.step_path, a.number, l.epoch, a.provider, a.model, to_timestamp(a.started / 1000),
    coalesce(e.status, 'started'), e.input_tokens, e.output_tokens, e.cache_read_tokens, e.cache_write_tokens, e.reasoning_tokens, e.raw_usage::json,
    e.cost_nano_usd, e.price_version, e.error::json, e.finish_reason, e.response_model, e.time_to_first_token_ms, e.finished_at
  FROM unnest($13::int[], $14::text[], $15::text[], $16::int[], $17::text[], $18::text[], $19::float8[])
    AS a (ord, id, step_path, number, provider, model, started)
  JOIN locked AS l ON l.ord = a.ord AND l.owned
  LEFT JOIN attempt_end AS e ON e.ord = a.ord AND e.id = a.id
  ON CONFLICT DO NOTHING
  RETURNING *
), ended_attempt AS (
  UPDATE flow_run.attempt AS a
  SET status = e.status, input_tokens = e.input_tokens, output_tokens = e.output_tokens, cache_read_tokens = e.cache_read_tokens,
    cache_write_tokens = e.cache_write_tokens, reasoning_tokens = e.reasoning_tokens, raw_usage = e.raw_usage::json, cost_nano_usd = e.cost_nano_usd,
    price_version = e.price_version, error = e.error::json, finish_reason = e.finish_reason, response_model = e.response_model,
    time_to_first_token_ms = e.time_to_first_token_ms, finished_at = e.finished_at
  FROM attempt_end AS e
  WHERE a.run_id = e.run_id AND a.id = e.id AND a.finished_at IS NULL
  RETURNING a.*
), bill AS (
  SELECT run_id,
    count(*) FILTER (WHERE given_up_at IS NULL) AS calls,
    count(*) FILTER (WHERE given_up_at IS NULL AND cost_nano_usd IS NULL)
      - count(*) FILTER (WHERE given_up_at IS NOT NULL AND cost_nano_usd IS NOT NULL) AS unpriced_calls,
    coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
    coalesce(sum(cache_read_tokens), 0) AS cache_read_tokens, coalesce(sum(cache_write_tokens), 0) AS cache_write_tokens,
    coalesce(sum(reasoning_tokens), 0) AS reasoning_tokens, coalesce(sum(cost_nano_usd), 0) AS cost_nano_usd
  FROM (
    SELECT run_id, given_up_at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nano_usd FROM ended_attempt
    UNION ALL
    SELECT run_id, given_up_at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nano_usd FROM new_attempt
    WHERE finished_at IS NOT NULL
  ) AS booked
  GROUP BY run_id
), changed AS MATERIALIZED (
  SELECT l.id, b.*, p.run_id IS NOT NULL AS progressed, f.status, f.output, f.error
  FROM locked AS l
  LEFT JOIN bill AS b ON b.run_id = l.id
  LEFT JOIN (SELECT DISTINCT run_id FROM new_step) AS p ON p.run_id = l.id
  LEFT JOIN unnest($36::int[], $37::text[], $38::text[], $39::text[]) AS f (ord, status, output, error) ON f.ord = l.ord AND l.owned
  WHERE b.run_id IS NOT NULL OR p.run_id IS NOT NULL OR f.ord IS NOT NULL
), changed_run AS (
  UPDATE flow_run.run AS r
  SET calls = r.calls + coalesce(c.calls, 0), unpriced_calls = r.unpriced_calls + coalesce(c.unpriced_calls, 0),
    input_tokens = r.input_tokens + coalesce(c.input_tokens, 0), output_tokens = r.output_tokens + coalesce(c.output_tokens, 0),
    cache_read_tokens = r.cache_read_tokens + coalesce(c.cache_read_tokens, 0), cache_write_tokens = r.cache_write_tokens + coalesce(c.cache_write_tokens, 0),
    reasoning_tokens = r.reasoning_tokens + coalesce(c.reasoning_tokens, 0), cost_nano_usd = r.cost_nano_usd + coalesce(c.cost_nano_usd, 0),
    claims_without_progress = CASE WHEN c.progressed THEN 0 ELSE r.claims_without_progress END,
    status = coalesce(c.status, r.status),
    output = CASE WHEN c.status IS NULL THEN r.output ELSE c.output::json END,
    error = CASE WHEN c.status IS NULL THEN r.error ELSE c.error::json END,
    ended_epoch = CASE WHEN c.status IS NULL THEN r.ended_epoch ELSE r.epoch END,
    finished_at = CASE WHEN c.status IS NULL THEN r.finished_at ELSE now() END
  FROM changed AS c
  WHERE r.id = c.id
  RETURNING r.id, c.status IS NOT NULL AS ended
), notified AS (${notifyEnded("SELECT id FROM changed_run WHERE ended", "$40")}
)
SELECT l.ord::int AS ord, l.owned OR l.landed AS held, (SELECT count(*) FROM notified) AS notified FROM locked AS l`;

/** Runs must be different from each other. Returns for each, in order, whether it was still this owner's; if not, only the ends of its attempts were booked. */
export async function recordProgress(database: Database, sender: string, runs: readonly RunProgress[]): Promise<boolean[]> {
  const steps = runs.flatMap((run, index) => run.steps.map((step) => ({ ord: index + 1, step })));
  const starts = runs.flatMap((run, index) => run.attemptStarts.map((start) => ({ ord: index + 1, start })));
  const attemptEnds = runs.flatMap((run, index) => run.attemptEnds.map((end) => ({ ord: index + 1, end })));
  const ends = runs.flatMap((run, index) => (run.end === null ? [] : [{ ord: index + 1, end: run.end }]));
  const rows = await database.query<{ ord: number; held: boolean }>(
    SQL,
    [
      runs.map((run) => run.runId),
      runs.map((run) => run.epoch),
      steps.map((s) => s.ord),
      steps.map((s) => s.step.path),
      steps.map((s) => s.step.seq),
      steps.map((s) => s.step.kind),
      steps.map((s) => s.step.status),
      steps.map((s) => s.step.input),
      steps.map((s) => s.step.output),
      steps.map((s) => s.step.error),
      steps.map((s) => s.step.startedAtMs),
      steps.map((s) => s.step.finishedAtMs),
      starts.map((a) => a.ord),
      starts.map((a) => a.start.id),
      starts.map((a) => a.start.stepPath),
      starts.map((a) => a.start.number),
      starts.map((a) => a.start.provider),
      starts.map((a) => a.start.model),
      starts.map((a) => a.start.startedAtMs),
      attemptEnds.map((a) => a.ord),
      attemptEnds.map((a) => a.end.id),
      attemptEnds.map((a) => a.end.status),
      attemptEnds.map((a) => a.end.usage?.inputTokens),
      attemptEnds.map((a) => a.end.usage?.outputTokens),
      attemptEnds.map((a) => a.end.usage?.cacheReadTokens),
      attemptEnds.map((a) => a.end.usage?.cacheWriteTokens),
      attemptEnds.map((a) => a.end.usage?.reasoningTokens),
      attemptEnds.map((a) => a.end.rawUsage),
      attemptEnds.map((a) => a.end.costNanoUsd),
      attemptEnds.map((a) => a.end.priceVersion),
      attemptEnds.map((a) => a.end.error),
      attemptEnds.map((a) => a.end.finishReason),
      attemptEnds.map((a) => a.end.responseModel),
      attemptEnds.map((a) => a.end.timeToFirstTokenMs),
      attemptEnds.map((a) => a.end.finishedAtMs),
      ends.map((e) => e.ord),
      ends.map((e) => e.end.status),
      ends.map((e) => e.end.output),
      ends.map((e) => e.end.error),
      sender,
    ],
    { prepare: true },
  );
  const held = new Set(rows.filter((row) => row.held).map((row) => row.ord));
  return runs.map((_, index) => held.has(index + 1));
}
