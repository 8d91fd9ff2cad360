import { z } from "zod";
import { jsonSchema } from "../wire/run.ts";
import { durationSchema } from "./notation.ts";

const share = z.number().min(0).max(1);
const tokens = z.int().min(0);
const pattern = z.string().refine(isRegularExpression, "is not a regular expression");

const latencySchema = z
  .union([
    durationSchema,
    z.strictObject({
      min: durationSchema.optional().meta({ description: "Least time until the answer begins. Default 0ms." }),
      max: durationSchema
        .optional()
        .meta({ description: "Most time until the answer begins; drawn evenly from min to max. Default: min." }),
      firstToken: durationSchema.optional().meta({ description: "Further time until the first text. Default 0ms." }),
      perToken: durationSchema
        .optional()
        .meta({ description: "Further time for each piece of text, about a token. An answer that is not streamed takes as long in all." }),
    }),
  ])
  .meta({ description: "How long answers take: one duration, or the parts it is made of. Default: none." });

const faultsSchema = z
  .strictObject({
    rateLimit: share.optional().meta({ description: "Share of requests refused with 429." }),
    retryAfter: durationSchema.optional().meta({ description: "What Retry-After says on a 429. Default 1s." }),
    serverError: share.optional().meta({ description: "Share of requests that fail with 500." }),
    overloaded: share.optional().meta({ description: "Share of requests refused with 529 (Anthropic) or 503 (others)." }),
    timeout: share.optional().meta({ description: "Share of requests that are never answered." }),
    cutStream: share.optional().meta({ description: "Share of answers whose connection breaks in the middle." }),
    malformedJson: share.optional().meta({ description: "Share of structured answers in which the model writes broken JSON." }),
    schemaMismatch: share.optional().meta({ description: "Share of structured answers that are JSON but do not fit the schema." }),
    malformedBody: share.optional().meta({ description: "Share of answers whose HTTP body is not what the vendor's protocol says." }),
  })
  .refine((faults) => Object.values(faults).reduce<number>((sum, value) => sum + (typeof value === "number" ? value : 0), 0) <= 1 + 1e-9, {
    message: "the shares must not add up to more than 1",
  })
  .meta({
    description:
      "Shares of requests that go wrong, from 0 to 1. Which ones is drawn from the seed, the request and how often it was asked, so a retry may succeed.",
  });

const whenSchema = z
  .strictObject({
    model: z.string().optional().meta({ description: "The model's name; * stands for any text." }),
    contains: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .meta({ description: "Text, or several texts, that the messages hold. Upper and lower case are the same." }),
    matches: pattern.optional().meta({ description: "A regular expression (JavaScript) that matches the text of the messages." }),
    role: z
      .enum(["system", "user", "model", "tool"])
      .optional()
      .meta({ description: "`contains` and `matches` look only in messages of this role. Default: in all." }),
    format: z.enum(["text", "json"]).optional().meta({ description: "Whether a structured answer is asked for." }),
    schema: z.string().optional().meta({ description: "Name or title of the schema asked for; * stands for any text." }),
    properties: z.array(z.string()).optional().meta({ description: "Properties that the schema asked for has, among others." }),
    nth: z.int().min(1).optional().meta({ description: "Only the nth request (from 1) for which all other conditions of this rule hold." }),
    attempt: z
      .int()
      .min(1)
      .optional()
      .meta({ description: "Only when the very same request is asked for the nth time: 1 is its first attempt, 2 its first retry." }),
  })
  .meta({ description: "When the rule holds: all conditions that are given. Without conditions it always holds." });

const usageSchema = z
  .union([
    z.literal("none"),
    z.strictObject({
      inputTokens: tokens.optional().meta({ description: "Uncached input. Default: estimated from the messages." }),
      outputTokens: tokens.optional().meta({ description: "Text output. Default: estimated from the answer." }),
      cacheReadTokens: tokens.optional().meta({ description: "Input read from a cache. Default 0." }),
      cacheWriteTokens: tokens.optional().meta({ description: "Input written to a cache. Default 0." }),
      reasoningTokens: tokens.optional().meta({ description: "Reasoning output. Default 0." }),
    }),
  ])
  .meta({ description: "The usage that the answer reports, in buckets that do not overlap; `none` reports none. Default: estimated." });

/** Keys of a rule's `error` of which exactly one must be given (`status` and `body` may stand together). */
const ERROR_KINDS = ["status", "timeout", "cutAfter", "stallAfter", "endless", "malformedJson", "schemaMismatch", "malformedBody"] as const;

const errorSchema = z
  .strictObject({
    status: z.int().min(200).max(599).optional().meta({ description: "Answer with this HTTP status and the vendor's error shape." }),
    message: z.string().optional().meta({ description: "The error's message." }),
    retryAfter: durationSchema.optional().meta({ description: "Sent as Retry-After." }),
    headers: z.record(z.string(), z.string()).optional().meta({ description: "Further response headers." }),
    body: z.string().optional().meta({ description: "Raw body instead of the vendor's error shape. Alone: with status 200." }),
    timeout: z.literal(true).optional().meta({ description: "Never answer." }),
    cutAfter: z
      .int()
      .min(0)
      .optional()
      .meta({ description: "Break the connection after so many pieces of text; 0: before anything is sent." }),
    stallAfter: z.int().min(0).optional().meta({ description: "Fall silent after so many pieces of text, connection open." }),
    endless: z.literal(true).optional().meta({ description: "Write text without end." }),
    malformedJson: z.literal(true).optional().meta({ description: "The model writes broken JSON." }),
    schemaMismatch: z.literal(true).optional().meta({ description: "The model writes JSON that does not fit the schema." }),
    malformedBody: z.literal(true).optional().meta({ description: "The HTTP body is not what the vendor's protocol says." }),
  })
  .superRefine((error, context) => {
    const kinds: string[] = ERROR_KINDS.filter((kind) => error[kind] !== undefined);
    if (error.body !== undefined && error.status === undefined) kinds.push("body");
    if (kinds.length !== 1) {
      const found = kinds.length === 0 ? "none is given" : `${kinds.join(" and ")} are given`;
      context.addIssue({ code: "custom", message: `give exactly one of ${ERROR_KINDS.join(", ")}, body; ${found}` });
    }
    for (const key of ["message", "retryAfter", "headers"] as const) {
      if (error[key] !== undefined && error.status === undefined && error.body === undefined) {
        context.addIssue({ code: "custom", path: [key], message: `${key} needs a status` });
      }
    }
  })
  .meta({ description: "What goes wrong instead of, or with, the answer." });

const ruleSchema = z
  .strictObject({
    when: whenSchema.optional(),
    answer: jsonSchema.optional().meta({
      description: "The answer. Text is sent as it is, anything else as JSON. Default: made up, and fitting the schema if there is one.",
    }),
    error: errorSchema.optional(),
    usage: usageSchema.optional(),
    rawUsage: jsonSchema.optional().meta({ description: "Sent in place of the vendor's usage object, whatever it is." }),
    finishReason: z.enum(["stop", "length", "content-filter"]).optional().meta({ description: "Why the answer ended. Default stop." }),
    latency: latencySchema.optional(),
    times: z.int().min(1).optional().meta({ description: "Use the rule at most so often. Default: without limit." }),
  })
  .refine((rule) => Object.keys(rule).some((key) => key !== "when" && key !== "times"), {
    message: "the rule does nothing: give an answer, an error, usage, finishReason or latency",
  });

/** What the simulator does: the file given to `flow-run simulator --script`, and the settings of a provider of type `simulator`. */
export const simulatorScriptSchema = z.strictObject({
  seed: z.int().optional().meta({ description: "Another seed, other answers and faults. Default 0." }),
  latency: latencySchema.optional(),
  faults: faultsSchema.optional(),
  rules: z
    .array(ruleSchema)
    .max(10_000)
    .optional()
    .meta({ description: "Tried in order; the first that holds decides. Where none holds, the answer is made up." }),
});
export type SimulatorScript = z.infer<typeof simulatorScriptSchema>;
export type SimulatorRule = z.infer<typeof ruleSchema>;
export type SimulatorFaults = z.infer<typeof faultsSchema>;
export type SimulatorLatency = z.infer<typeof latencySchema>;
export type SimulatorRuleError = z.infer<typeof errorSchema>;

/** Settings of a provider of type `simulator`, without `type`: a script's keys, over those of the script that `script` names. */
export const simulatorSettingsSchema = simulatorScriptSchema.extend({
  script: z
    .union([z.string(), simulatorScriptSchema])
    .optional()
    .meta({ description: "A script's file, from the project's root, or its content. Keys beside it win over the script's." }),
});
export type SimulatorSettings = z.infer<typeof simulatorSettingsSchema>;

function isRegularExpression(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}
