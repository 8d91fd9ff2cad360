import { jsonSchema, nameSchema } from "@flow-run/spec";
import { z } from "zod";
import type { CompiledStep, CompiledValue } from "../compile/index.ts";

// The shape of a bundle that came over the wire. Loose objects: a newer compiler of the same language version may add fields, which the hash covers.

/** Stored as a 32-bit number. */
const runsAtOnce = z.int().min(1).max(1_000_000);
const placeSchema = z.looseObject({ file: z.string(), line: z.int(), column: z.int() });
const expressionSchema = z.looseObject({ source: z.string(), at: placeSchema });
const userSchemaSchema = z.union([z.boolean(), z.record(z.string(), z.unknown())]);
const namesSchema = z.array(z.string());

const valueSchema: z.ZodType<CompiledValue> = z.lazy(() =>
  z.union([
    z.strictObject({ literal: jsonSchema }),
    z.strictObject({ expression: expressionSchema }),
    z.strictObject({ parts: z.array(z.union([z.string(), expressionSchema])) }),
    z.strictObject({ list: z.array(valueSchema) }),
    z.strictObject({ map: z.array(z.tuple([z.string(), valueSchema])) }),
  ]),
) as z.ZodType<CompiledValue>;

const stepBase = {
  id: nameSchema,
  at: placeSchema,
  if: valueSchema.optional(),
  forEach: z.looseObject({ items: valueSchema, as: z.string(), concurrency: z.int().min(1) }).optional(),
  repeat: z.looseObject({ until: valueSchema, max: z.int().min(1), exhausted: z.enum(["last", "fail"]) }).optional(),
  timeoutMs: z.number().positive().optional(),
  retries: z.int().min(0),
  onError: z.union([z.enum(["fail", "continue"]), z.looseObject({ run: z.string(), with: valueSchema })]),
};

const stepSchema: z.ZodType<CompiledStep> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.looseObject({ kind: z.literal("run"), ...stepBase, flow: z.string(), with: valueSchema }),
    z.looseObject({ kind: z.literal("set"), ...stepBase, set: valueSchema }),
    z.looseObject({ kind: z.literal("http"), ...stepBase, method: z.string(), url: valueSchema }),
    z.looseObject({ kind: z.literal("wait"), ...stepBase }),
    z.looseObject({ kind: z.literal("parallel"), at: placeSchema, if: valueSchema.optional(), steps: z.array(stepSchema) }),
  ]),
) as unknown as z.ZodType<CompiledStep>;

const modelSchema = z.looseObject({
  targets: z.array(z.looseObject({ provider: z.string(), model: z.string() })).min(1),
  timeoutMs: z.number().positive(),
  retries: z.int().min(0),
  limits: z.looseObject({}),
});

const flowBase = {
  name: nameSchema,
  description: z.string().optional(),
  file: z.string(),
  input: userSchemaSchema.optional(),
  hash: z.string(),
};

const flowSchema = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("task"),
    ...flowBase,
    model: z.string(),
    config: z.record(z.string(), z.unknown()),
    output: z.looseObject({ format: z.enum(["text", "json"]), schema: userSchemaSchema.optional() }),
    template: z.string(),
    partials: z.record(z.string(), z.string()),
  }),
  z.looseObject({
    kind: z.literal("workflow"),
    ...flowBase,
    steps: z.array(stepSchema),
    output: valueSchema.optional(),
    outputSchema: userSchemaSchema,
    limits: z.looseObject({}),
    concurrency: runsAtOnce.optional(),
    schedule: z.looseObject({ cron: z.string().max(200), timezone: z.string().max(100), input: jsonSchema }).optional(),
  }),
]);

const keptMs = z.number().min(1_000);

/** A bundle as a client may send it; what it refers to is checked elsewhere. */
export const bundleSchema = z.looseObject({
  languageVersion: z.int(),
  project: z.string().max(200),
  flows: z.record(nameSchema, flowSchema),
  providers: z.record(nameSchema, z.looseObject({ type: z.string(), settings: z.record(z.string(), z.unknown()), secrets: namesSchema })),
  models: z.record(z.string(), modelSchema),
  environments: z.record(
    nameSchema,
    z.looseObject({
      models: z.record(z.string(), modelSchema),
      vars: z.record(z.string(), z.string()),
      limits: z.looseObject({ concurrency: runsAtOnce.optional(), flows: z.record(nameSchema, runsAtOnce) }).optional(),
      retention: z.looseObject({ runsMs: keptMs.optional(), contentsMs: keptMs.optional(), deliveriesMs: keptMs.optional() }).optional(),
    }),
  ),
  hash: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hex"),
});
