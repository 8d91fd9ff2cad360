import type { FlowKind, Json, Run, RunError, RunStatus } from "@flow-run/spec";
import type { NewRun } from "../store.ts";

/** Columns of a run `r` that `toRun` reads. */
export const RUN_COLUMNS = `r.id, r.environment, r.flow, r.kind, r.release, r.status, r.input, r.output, r.error, r.tags, r.calls, r.cache_hits, r.unpriced_calls,
  r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_tokens, r.reasoning_tokens, r.cost_nano_usd,
  r.replay_of, r.replay_from, r.feedback_count, r.created_at, r.started_at, r.finished_at, r.contents_pruned_at`;

export interface RunRow {
  id: string;
  environment: string;
  flow: string;
  kind: FlowKind;
  release: number;
  status: RunStatus;
  input: Json;
  output: Json;
  error: RunError | null;
  tags: string[];
  calls: number;
  cache_hits: number;
  unpriced_calls: number;
  input_tokens: number | bigint;
  output_tokens: number | bigint;
  cache_read_tokens: number | bigint;
  cache_write_tokens: number | bigint;
  reasoning_tokens: number | bigint;
  cost_nano_usd: number | bigint;
  replay_of: string | null;
  replay_from: string | null;
  feedback_count: number;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  contents_pruned_at: Date | null;
}

export function toRun(row: RunRow): Run {
  return {
    id: row.id,
    flow: row.flow,
    kind: row.kind,
    environment: row.environment,
    release: row.release,
    status: row.status,
    input: row.input,
    output: row.output,
    error: row.error,
    usage: {
      inputTokens: Number(row.input_tokens),
      outputTokens: Number(row.output_tokens),
      cacheReadTokens: Number(row.cache_read_tokens),
      cacheWriteTokens: Number(row.cache_write_tokens),
      reasoningTokens: Number(row.reasoning_tokens),
      calls: row.calls,
      cacheHits: row.cache_hits,
    },
    costUsd: row.unpriced_calls > 0 ? null : toUsd(row.cost_nano_usd),
    unpricedCalls: row.unpriced_calls,
    tags: row.tags,
    replayOf: row.replay_of === null ? null : { run: row.replay_of, from: row.replay_from },
    feedbackCount: row.feedback_count,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    ...(row.contents_pruned_at === null ? {} : { contentsPrunedAt: row.contents_pruned_at.toISOString() }),
  };
}

export function toUsd(nanoUsd: number | bigint): number {
  return Number(nanoUsd) / 1e9;
}

/** A run as it stands right after it was accepted. */
export function toQueuedRun(run: NewRun, createdAt: Date): Run {
  return {
    id: run.id,
    flow: run.flow,
    kind: run.kind,
    environment: run.environment,
    release: run.release,
    status: "queued",
    input: run.input,
    output: null,
    error: null,
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, calls: 0, cacheHits: 0 },
    costUsd: 0,
    unpricedCalls: 0,
    tags: run.tags,
    replayOf: null,
    feedbackCount: 0,
    createdAt: createdAt.toISOString(),
    startedAt: null,
    finishedAt: null,
  };
}
