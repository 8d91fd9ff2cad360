import type { Json, RunError } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import type { RecordedRun, StepRecord } from "../journal.ts";

/** Attempts that former owners began and did not end: from now on `unknown` and counted as unpriced, until a late end books them. */
const GIVE_UP_ATTEMPTS = `
WITH locked AS MATERIALIZED (
  SELECT id, epoch FROM flow_run.run WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE
), given_up AS (
  UPDATE flow_run.attempt AS a SET status = 'unknown', given_up_at = now()
  FROM locked AS l
  WHERE a.run_id = l.id AND a.epoch < l.epoch AND a.finished_at IS NULL AND a.given_up_at IS NULL
  RETURNING a.run_id
)
UPDATE flow_run.run AS r SET calls = r.calls + g.attempts, unpriced_calls = r.unpriced_calls + g.attempts
FROM (SELECT run_id, count(*) AS attempts FROM given_up GROUP BY run_id) AS g
WHERE r.id = g.run_id`;

const STEPS = `
SELECT run_id, path, seq, kind, status, input, output, error,
  coalesce(octet_length(input::text), 0) + coalesce(octet_length(output::text), 0) AS size,
  extract(epoch FROM started_at)::float8 * 1000 AS started_ms, extract(epoch FROM finished_at)::float8 * 1000 AS finished_ms
FROM flow_run.step WHERE run_id = ANY ($1::text[]) ORDER BY run_id, seq`;

const ATTEMPTS = `
SELECT run_id, step_path, max(number) AS number,
  coalesce(sum(coalesce(cost_nano_usd, estimated_nano_usd)), 0)::float8 AS nano_usd,
  coalesce(sum(CASE WHEN input_tokens IS NOT NULL THEN input_tokens + output_tokens + cache_read_tokens + cache_write_tokens + reasoning_tokens
    WHEN cost_nano_usd = 0 THEN 0 ELSE estimated_tokens END), 0)::float8 AS tokens,
  bool_or(estimated_tokens IS NOT NULL) AS limited
FROM flow_run.attempt AS a
WHERE run_id = ANY ($1::text[])
  AND (estimated_tokens IS NOT NULL OR NOT EXISTS (SELECT FROM flow_run.step AS s WHERE s.run_id = a.run_id AND s.path = a.step_path))
GROUP BY run_id, step_path`;

const GIVEN_INPUTS = `
SELECT id AS run_id, replay_from AS path, replay_input AS input FROM flow_run.run WHERE id = ANY ($1::text[]) AND replay_input IS NOT NULL`;

interface StepColumns {
  run_id: string;
  path: string;
  seq: number;
  kind: string;
  status: StepRecord["status"];
  input: Json;
  output: Json;
  error: RunError | null;
  size: number;
  started_ms: number;
  finished_ms: number;
}

interface AttemptColumns {
  run_id: string;
  step_path: string;
  number: number;
  nano_usd: number;
  tokens: number;
  limited: boolean;
}

/** Paths are the author's words: `__proto__` must be one like any other. */
function byPath<T>(): { [path: string]: T } {
  return Object.create(null) as { [path: string]: T };
}

/** What runs that were just claimed again already did. Must be sent after the claim has committed. */
export async function recoverRuns(database: Database, runIds: readonly string[]): Promise<Map<string, RecordedRun>> {
  const recorded = new Map<string, RecordedRun>(
    runIds.map((id) => [id, { steps: [], recordedSize: 0, attempts: byPath(), spentBySteps: byPath() }]),
  );
  if (runIds.length === 0) return recorded;
  const [, steps, attempts, givenInputs] = await database.batch([
    [GIVE_UP_ATTEMPTS, [runIds]],
    [STEPS, [runIds]],
    [ATTEMPTS, [runIds]],
    [GIVEN_INPUTS, [runIds]],
  ]);
  for (const row of steps as unknown as StepColumns[]) {
    const run = recorded.get(row.run_id);
    if (!run) continue;
    run.recordedSize += row.size;
    run.steps.push({
      path: row.path,
      seq: row.seq,
      kind: row.kind,
      status: row.status,
      input: row.input,
      output: row.output,
      error: row.error,
      startedAtMs: Math.round(row.started_ms),
      finishedAtMs: Math.round(row.finished_ms),
    });
  }
  for (const row of attempts as unknown as AttemptColumns[]) {
    const run = recorded.get(row.run_id);
    if (!run) continue;
    run.attempts[row.step_path] = row.number;
    if (row.limited) run.spentBySteps[row.step_path] = { costNanoUsd: row.nano_usd, tokens: row.tokens };
  }
  for (const { run_id, path, input } of givenInputs as { run_id: string; path: string; input: Json }[]) {
    const run = recorded.get(run_id);
    if (run) run.givenInput = { path, input };
  }
  return recorded;
}
