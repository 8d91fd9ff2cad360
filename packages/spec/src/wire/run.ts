import { z } from "zod";
import type { Json } from "../json.ts";

/** Any JSON value. */
export const jsonSchema: z.ZodType<Json> = z.json() as z.ZodType<Json>;

export const flowKindSchema = z.enum(["task", "workflow", "agent"]);
export type FlowKind = z.infer<typeof flowKindSchema>;

export const runStatusSchema = z.enum(["queued", "running", "waiting", "succeeded", "failed", "cancelled"]);
export type RunStatus = z.infer<typeof runStatusSchema>;

/** A run in one of these never changes again. */
export const TERMINAL_STATUSES = ["succeeded", "failed", "cancelled"] as const satisfies readonly RunStatus[];

export function isTerminal(status: RunStatus): boolean {
  return (TERMINAL_STATUSES as readonly RunStatus[]).includes(status);
}

export const runErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  /** Path of the step that failed; null when the run failed as a whole. */
  step: z.string().nullable(),
  retryable: z.boolean(),
});
export type RunError = z.infer<typeof runErrorSchema>;

/** Tokens in five disjoint buckets. Integers, never negative. */
export const tokenUsageSchema = z.object({
  /** Uncached input tokens. */
  inputTokens: z.int(),
  /** Output tokens that are text (reasoning apart). */
  outputTokens: z.int(),
  cacheReadTokens: z.int(),
  cacheWriteTokens: z.int(),
  reasoningTokens: z.int(),
});
export type TokenUsage = z.infer<typeof tokenUsageSchema>;

/** The tokens of a run, how many LLM requests were sent for it, answered or not, and how many answers came from the cache instead. */
export const usageSchema = tokenUsageSchema.extend({ calls: z.int(), cacheHits: z.int() });
export type RunUsage = z.infer<typeof usageSchema>;

export const runSchema = z.object({
  id: z.string(),
  flow: z.string(),
  kind: flowKindSchema,
  environment: z.string(),
  /** Number of the release within the environment; 0 for a local run without a release. */
  release: z.int(),
  status: runStatusSchema,
  input: jsonSchema,
  output: jsonSchema,
  error: runErrorSchema.nullable(),
  usage: usageSchema,
  /** US dollars; null while a call of the run has no known price or usage. */
  costUsd: z.number().nullable(),
  /** Calls whose price or usage is unknown; their cost is missing from every sum. */
  unpricedCalls: z.int(),
  tags: z.array(z.string()),
  /** The run that this one replays, and the step from which on it executes anew (null: from the beginning). */
  replayOf: z.object({ run: z.string(), from: z.string().nullable() }).nullable(),
  /** How often it was judged: `GET /v1/runs/{id}/feedback`. */
  feedbackCount: z.int(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  /** Present when input, output and messages of the run and its steps were removed, as its environment's retention says; they are null then. */
  contentsPrunedAt: z.iso.datetime().optional(),
});
export type Run = z.infer<typeof runSchema>;

export const attemptSchema = z.object({
  /** Also sent along with the request, in the header `x-flow-run-attempt`, to servers that are not a vendor's own. */
  id: z.string(),
  number: z.int(),
  status: z.enum(["started", "succeeded", "failed", "unknown"]),
  /** Answered from the response cache: nothing was sent, and it costs nothing. */
  cached: z.boolean(),
  provider: z.string(),
  model: z.string(),
  usage: tokenUsageSchema.nullable(),
  /** The provider's own usage object, as received. */
  rawUsage: jsonSchema,
  priceVersion: z.string().nullable(),
  costUsd: z.number().nullable(),
  error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).nullable(),
  finishReason: z.string().nullable(),
  timeToFirstTokenMs: z.number().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** What a waiting step waits for. */
export const stepWaitSchema = z.object({
  /** null: for the time alone. */
  signal: z.string().nullable(),
  /** When the time is over: the step goes on, or fails because the signal did not come. */
  dueAt: z.iso.datetime(),
  /** JSON Schema of the signal's payload; null: any. */
  payloadSchema: jsonSchema,
});
export type StepWait = z.infer<typeof stepWaitSchema>;

export const runStepSchema = z.object({
  path: z.string(),
  /** Ordinal in the order of recording, from 1; null for a step that is not recorded. */
  seq: z.int().nullable(),
  kind: z.string(),
  /** The first three are not recorded: `running`, `waiting`, and `cancelled` for what was under way when the run ended. */
  status: z.enum(["running", "waiting", "cancelled", "succeeded", "failed", "skipped"]),
  input: jsonSchema,
  output: jsonSchema,
  error: runErrorSchema.nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  /** Taken over from the run that this one replays: with its times, without its attempts and cost. */
  copied: z.boolean(),
  /** While the step waits, else null. */
  waitsFor: stepWaitSchema.nullable(),
  attempts: z.array(attemptSchema),
});
export type Step = z.infer<typeof runStepSchema>;
