import type { Attempt, Json, RunError, Step } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { toUsd } from "./run-columns.ts";

const RUN = "SELECT finished_at FROM flow_run.run WHERE environment = $1 AND id = $2";

const STEPS = `
SELECT s.path, s.seq, s.kind, s.status, s.input, s.output, s.error, s.started_at, s.finished_at
FROM flow_run.run AS r JOIN flow_run.step AS s ON s.run_id = r.id
WHERE r.environment = $1 AND r.id = $2`;

const ATTEMPTS = `
SELECT a.* FROM flow_run.run AS r JOIN flow_run.attempt AS a ON a.run_id = r.id
WHERE r.environment = $1 AND r.id = $2 ORDER BY a.number, a.started_at`;

interface StepRow {
  path: string;
  seq: number;
  kind: string;
  status: Step["status"];
  input: Json;
  output: Json;
  error: RunError | null;
  started_at: Date;
  finished_at: Date;
}

interface AttemptRow {
  id: string;
  step_path: string;
  number: number;
  status: Attempt["status"];
  provider: string;
  model: string;
  input_tokens: number | bigint | null;
  output_tokens: number | bigint | null;
  cache_read_tokens: number | bigint | null;
  cache_write_tokens: number | bigint | null;
  reasoning_tokens: number | bigint | null;
  raw_usage: Json;
  price_version: string | null;
  cost_nano_usd: number | bigint | null;
  error: Attempt["error"];
  finish_reason: string | null;
  time_to_first_token_ms: number | null;
  started_at: Date;
  finished_at: Date | null;
}

/** In the order they began; null for an unknown run. A step without a record but with attempts is under way, or was when its run ended. */
export async function listSteps(database: Database, environment: string, id: string): Promise<Step[] | null> {
  const params = [environment, id];
  const [runs, steps, attempts] = await database.batch([
    [RUN, params],
    [STEPS, params],
    [ATTEMPTS, params],
  ]);
  if (runs?.length !== 1) return null;
  const attemptsOf = Map.groupBy(attempts as unknown as AttemptRow[], (row) => row.step_path);
  const recorded = (steps as unknown as StepRow[]).map((row) => {
    const its = attemptsOf.get(row.path) ?? [];
    attemptsOf.delete(row.path);
    return { seq: row.seq, startedAt: row.started_at, step: toStep(row, its) };
  });
  const underWay = [...attemptsOf].map(([path, its]) => ({
    seq: Number.POSITIVE_INFINITY,
    startedAt: new Date(Math.min(...its.map((row) => row.started_at.getTime()))),
    step: toRunningStep(path, its),
  }));
  return [...recorded, ...underWay]
    .sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime() || compareNumbers(a.seq, b.seq))
    .map(({ startedAt, step }) => ({ ...step, startedAt: startedAt.toISOString() }));
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function toStep(row: StepRow, attempts: AttemptRow[]): Omit<Step, "startedAt"> {
  return {
    path: row.path,
    seq: row.seq,
    kind: row.kind,
    status: row.status,
    input: row.input,
    output: row.output,
    error: row.error,
    finishedAt: row.finished_at.toISOString(),
    attempts: attempts.map(toAttempt),
  };
}

/** Only steps that ask a model have attempts before they are recorded. */
function toRunningStep(path: string, attempts: AttemptRow[]): Omit<Step, "startedAt"> {
  return {
    path,
    seq: null,
    kind: "model",
    status: "running",
    input: null,
    output: null,
    error: null,
    finishedAt: null,
    attempts: attempts.map(toAttempt),
  };
}

function toAttempt(row: AttemptRow): Attempt {
  return {
    id: row.id,
    number: row.number,
    status: row.status,
    provider: row.provider,
    model: row.model,
    usage:
      row.input_tokens === null
        ? null
        : {
            inputTokens: Number(row.input_tokens),
            outputTokens: Number(row.output_tokens),
            cacheReadTokens: Number(row.cache_read_tokens),
            cacheWriteTokens: Number(row.cache_write_tokens),
            reasoningTokens: Number(row.reasoning_tokens),
          },
    rawUsage: row.raw_usage,
    priceVersion: row.price_version,
    costUsd: row.cost_nano_usd === null ? null : toUsd(row.cost_nano_usd),
    error: row.error,
    finishReason: row.finish_reason,
    timeToFirstTokenMs: row.time_to_first_token_ms,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
