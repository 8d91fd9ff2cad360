import type { Attempt, Json, RunError, Step } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { enclosingSteps } from "./enclosing-steps.ts";
import { toUsd } from "./run-columns.ts";

const RUN = "SELECT finished_at FROM flow_run.run WHERE environment = $1 AND id = $2 AND pruned_at IS NULL";

const STEPS = `
SELECT s.path, s.seq, s.epoch = 0 AS copied, s.kind, s.status, s.input, s.output, s.error, s.started_at, s.finished_at
FROM flow_run.run AS r JOIN flow_run.step AS s ON s.run_id = r.id
WHERE r.environment = $1 AND r.id = $2`;

const ATTEMPTS = `
SELECT a.* FROM flow_run.run AS r JOIN flow_run.attempt AS a ON a.run_id = r.id
WHERE r.environment = $1 AND r.id = $2 ORDER BY a.number, a.started_at`;

/** Those that were delivered or given up are no longer waited for; a step that is recorded is not looked up here. */
const WAITS = `
SELECT w.path, w.signal, w.opened_at, w.due_at, w.payload_schema, w.delivered_at IS NOT NULL AS delivered
FROM flow_run.run AS r JOIN flow_run.wait AS w ON w.run_id = r.id
WHERE r.environment = $1 AND r.id = $2`;

interface StepRow {
  path: string;
  seq: number;
  copied: boolean;
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
  cached: boolean;
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

interface WaitRow {
  path: string;
  signal: string | null;
  opened_at: Date;
  due_at: Date;
  payload_schema: Json;
  delivered: boolean;
}

/** A step with what it is sorted by. */
interface Listed {
  seq: number;
  startedAt: Date;
  step: Omit<Step, "startedAt">;
}

/** In the order they began; null for an unknown run. Not recorded are steps that are under way or were when the run ended, as far as they left traces. */
export async function listSteps(database: Database, environment: string, id: string): Promise<Step[] | null> {
  const params = [environment, id];
  const [runs, steps, attempts, waits] = await database.batch([
    [RUN, params],
    [STEPS, params],
    [ATTEMPTS, params],
    [WAITS, params],
  ]);
  const [run] = runs as { finished_at: Date | null }[];
  if (!run) return null;
  const attemptsOf = Map.groupBy(attempts as unknown as AttemptRow[], (row) => row.step_path);
  const recorded = (steps as unknown as StepRow[]).map((row): Listed => {
    const its = attemptsOf.get(row.path) ?? [];
    attemptsOf.delete(row.path);
    return { seq: row.seq, startedAt: row.started_at, step: toStep(row, its) };
  });
  const known = new Set(recorded.map(({ step }) => step.path));
  const begun = run.finished_at === null ? "running" : "cancelled";
  const underWay: Listed[] = [...attemptsOf].map(([path, its]) => ({
    seq: Number.POSITIVE_INFINITY,
    startedAt: new Date(Math.min(...its.map((row) => row.started_at.getTime()))),
    // Only steps that ask a model have attempts before they are recorded.
    step: toUnrecorded({ path, kind: "model", status: begun, attempts: its.map(toAttempt) }),
  }));
  for (const row of waits as unknown as WaitRow[]) {
    if (known.has(row.path)) continue;
    const waiting = begun === "running" && !row.delivered;
    underWay.push({ seq: Number.POSITIVE_INFINITY, startedAt: row.opened_at, step: toWaiting(row, waiting ? "waiting" : begun) });
  }
  for (const { path, kind, startedAt } of enclosingSteps(
    [...recorded, ...underWay].map(({ step, startedAt }) => ({ path: step.path, startedAt })),
  )) {
    // Before what is inside it.
    underWay.push({ seq: 0, startedAt, step: toUnrecorded({ path, kind, status: begun }) });
  }
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
    copied: row.copied,
    waitsFor: null,
    attempts: attempts.map(toAttempt),
  };
}

function toWaiting(row: WaitRow, status: Step["status"]): Omit<Step, "startedAt"> {
  const waitsFor = { signal: row.signal, dueAt: row.due_at.toISOString(), payloadSchema: row.payload_schema };
  return toUnrecorded({ path: row.path, kind: "wait", status, waitsFor: status === "waiting" ? waitsFor : null });
}

function toUnrecorded(
  step: Pick<Step, "path" | "kind" | "status"> & Partial<Pick<Step, "attempts" | "waitsFor">>,
): Omit<Step, "startedAt"> {
  return { seq: null, input: null, output: null, error: null, finishedAt: null, copied: false, waitsFor: null, attempts: [], ...step };
}

function toAttempt(row: AttemptRow): Attempt {
  return {
    id: row.id,
    number: row.number,
    status: row.status,
    cached: row.cached,
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
