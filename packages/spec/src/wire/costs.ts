import { z } from "zod";
import { attemptSchema, tokenUsageSchema, usageSchema } from "./run.ts";

/** What spend can be broken down by. A run counts on the day on which it was created, UTC. */
export const COST_GROUPS = ["flow", "model", "provider", "release", "day"] as const;
export type CostGroup = (typeof COST_GROUPS)[number];

/** Query of `GET /v1/costs`. */
export const costQuerySchema = z.object({
  /** Names of `COST_GROUPS`, separated by commas; none: the total alone. */
  groupBy: z.string().max(200).optional(),
  /** First day, YYYY-MM-DD, UTC. Default: 29 days before `to`. */
  from: z.string().max(40).optional(),
  /** Last day, itself included. Default: today. */
  to: z.string().max(40).optional(),
});
export type CostQuery = z.infer<typeof costQuerySchema>;

const sumsSchema = z.object({
  /** null where calls are told apart by model or provider: a run may use several. */
  runs: z.int().nullable(),
  usage: usageSchema,
  /** US dollars; null while a call has no known price or usage, because then the sum is not known. */
  costUsd: z.number().nullable(),
  /** US dollars of all calls whose price is known. */
  pricedCostUsd: z.number(),
  /** Calls whose price or usage is unknown; their cost is missing from `pricedCostUsd`. */
  unpricedCalls: z.int(),
});

/** One line of a breakdown: of the names those that it is grouped by. */
export const costLineSchema = sumsSchema.extend({
  flow: z.string().optional(),
  model: z.string().optional(),
  provider: z.string().optional(),
  release: z.int().optional(),
  day: z.iso.date().optional(),
});
export type CostLine = z.infer<typeof costLineSchema>;

/** What runs of an environment cost, those that are no longer kept included. */
export const costReportSchema = z.object({
  environment: z.string(),
  groupBy: z.array(z.enum(COST_GROUPS)),
  from: z.iso.date(),
  to: z.iso.date(),
  /** By day where days are told apart, then the dearest first. */
  costs: z.array(costLineSchema),
  total: sumsSchema,
  /** There are more lines than an answer holds; the total is that of all. */
  truncated: z.boolean(),
});
export type CostReport = z.infer<typeof costReportSchema>;

/** A part of a call's price. `costUsd` is exact; the sum of a call is rounded to whole nano-dollars once. */
export const priceLineSchema = z.object({
  bucket: z.enum(["input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "reasoning"]),
  tokens: z.int(),
  usdPerMillion: z.number(),
  costUsd: z.number(),
});

/** One LLM request of a run and how its cost comes about. */
export const callCostSchema = attemptSchema
  .pick({
    id: true,
    number: true,
    status: true,
    provider: true,
    model: true,
    priceVersion: true,
    costUsd: true,
    startedAt: true,
    cached: true,
  })
  .extend({
    /** Path of the step. */
    step: z.string(),
    /** null: the vendor told none. */
    usage: tokenUsageSchema.nullable(),
    /** Tokens times price. null: the cost is not known, or the prices of that version are not at hand any more; what was booked stands. */
    lines: z.array(priceLineSchema).nullable(),
  });
export type CallCost = z.infer<typeof callCostSchema>;

/** `GET /v1/runs/{id}/costs`. */
export const runCostsSchema = z.object({
  run: z.string(),
  flow: z.string(),
  release: z.int(),
  /** As in the run: null while a call has no known price. */
  costUsd: z.number().nullable(),
  pricedCostUsd: z.number(),
  unpricedCalls: z.int(),
  /** In the order in which they began. */
  calls: z.array(callCostSchema),
});
export type RunCosts = z.infer<typeof runCostsSchema>;
