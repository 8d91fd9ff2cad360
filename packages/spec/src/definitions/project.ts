import { z } from "zod";
import { jsonSchema } from "../wire/run.ts";
import { durationSchema, nameSchema } from "./notation.ts";

export const PROVIDER_TYPES = [
  "openai",
  "anthropic",
  "google",
  "mistral",
  "groq",
  "azure",
  "amazon-bedrock",
  "openai-compatible",
  "simulator",
] as const;

/** Further keys go to the provider's adapter as they are. */
export const providerSchema = z
  .object({
    type: z.enum(PROVIDER_TYPES),
    apiKey: z.string().optional(),
    baseUrl: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
  })
  .catchall(jsonSchema);
export type ProviderDefinition = z.infer<typeof providerSchema>;

export const modelPriceSchema = z
  .strictObject({
    input: z.number().min(0),
    output: z.number().min(0),
    cacheRead: z.number().min(0).optional(),
    cacheWrite: z.number().min(0).optional(),
    reasoning: z.number().min(0).optional(),
  })
  .meta({ description: "US dollars per million tokens." });

/** `PROVIDER/MODEL`; the model's part may hold further slashes. */
export const modelTargetSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*\/.+$/, "write PROVIDER/MODEL, for example openai/gpt-5-mini");

export const modelSchema = z.union([
  modelTargetSchema,
  z.strictObject({
    use: modelTargetSchema,
    fallback: z.array(modelTargetSchema).optional(),
    timeout: durationSchema.optional(),
    retries: z.int().min(0).max(20).optional(),
    limits: z
      .strictObject({
        concurrency: z.int().min(1).optional(),
        requestsPerMinute: z.number().positive().optional(),
        tokensPerMinute: z.number().positive().optional(),
      })
      .optional(),
    price: modelPriceSchema.optional(),
  }),
]);
export type ModelDefinition = z.infer<typeof modelSchema>;

export const environmentSchema = z.strictObject({
  url: z.string().optional(),
  models: z.record(nameSchema, modelSchema).optional(),
  gates: z.array(z.string()).optional(),
  vars: z.record(nameSchema, z.string()).optional(),
});

/** `flow-run.yaml`. */
export const projectSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().optional(),
  providers: z.record(nameSchema, providerSchema).optional(),
  models: z.record(nameSchema, modelSchema).optional(),
  environments: z.record(nameSchema, environmentSchema).optional(),
});
export type ProjectDefinition = z.infer<typeof projectSchema>;
