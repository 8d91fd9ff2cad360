import { z } from "zod";
import type { Json } from "../json.ts";
import { anyValueSchema, durationSchema, nameSchema } from "./notation.ts";
import { simulatorSettingsSchema } from "./simulator-script.ts";

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
export type ProviderType = (typeof PROVIDER_TYPES)[number];

const limitsSchema = z.strictObject({
  concurrency: z.int().min(1).optional().meta({ description: "Requests at once." }),
  requestsPerMinute: z.number().positive().optional().meta({ description: "Requests sent within any minute." }),
  tokensPerMinute: z.number().positive().optional().meta({ description: "Input and output tokens within any minute." }),
});

const providerLimitsSchema = limitsSchema.optional().meta({
  description: "What all models of this provider together may be asked for, by all workers on one database; requests beyond wait.",
});

/** Keys that adapters of remote providers know, beside whatever else a vendor has. */
const remoteProviderSchema = z
  .object({
    type: z.enum(PROVIDER_TYPES).exclude(["simulator"]).meta({ description: "Whose protocol is spoken." }),
    apiKey: z
      .string()
      .optional()
      .meta({ description: "The key, as \"${{ secrets.NAME }}\": the environment's secret, else the process's environment variable." }),
    baseUrl: z.string().optional().meta({
      description: "Where the API is, with its version (https://host/v1). Default: the vendor's own; required for openai-compatible.",
    }),
    headers: z.record(z.string(), z.string()).optional().meta({ description: "Sent with each request, beside the key." }),
    limits: providerLimitsSchema,
    organization: z.string().optional().meta({ description: "openai: organization to bill." }),
    project: z.string().optional().meta({ description: "openai: project to bill." }),
    api: z.enum(["responses", "chat"]).optional().meta({
      description: "openai, azure: which API is spoken. Default: responses; with a dated apiVersion at azure always chat completions.",
    }),
    structuredOutputs: z.boolean().optional().meta({
      description:
        "openai-compatible, mistral, groq, amazon-bedrock: whether a schema is sent as such, or written into the prompt. Default: what is known of the model.",
    }),
    resourceName: z.string().optional().meta({
      description:
        "azure: name of the resource (https://NAME.openai.azure.com), in place of baseUrl. Models are named by their deployments.",
    }),
    apiVersion: z.string().optional().meta({
      description: "azure: v1, preview, or a date like 2024-10-21 for addresses that hold the deployment. Default: v1.",
    }),
    region: z.string().optional().meta({ description: "amazon-bedrock: region, for example us-east-1. Required." }),
    accessKeyId: z.string().optional().meta({
      description:
        'amazon-bedrock: access key that signs requests, as "${{ secrets.AWS_ACCESS_KEY_ID }}"; an apiKey, where there is one, wins.',
    }),
    secretAccessKey: z.string().optional().meta({
      description: 'amazon-bedrock: secret of the access key, as "${{ secrets.AWS_SECRET_ACCESS_KEY }}".',
    }),
    sessionToken: z.string().optional().meta({
      description: 'amazon-bedrock: token of temporary credentials, as "${{ secrets.AWS_SESSION_TOKEN }}".',
    }),
    modelFamily: z.literal("anthropic").optional().meta({
      description: "amazon-bedrock: says that models named by the ARN of an inference profile are Claude.",
    }),
  })
  .catchall(anyValueSchema);

const simulatorProviderSchema = simulatorSettingsSchema.extend({
  type: z.literal("simulator").meta({ description: "A deterministic LLM without network: no key, no cost." }),
  limits: providerLimitsSchema,
});

/** Keys of remote providers that a misspelt key may have been meant to be; others go to the adapter as they are. */
export const REMOTE_PROVIDER_KEYS: readonly string[] = Object.keys(remoteProviderSchema.shape);

export interface ProviderDefinition {
  type: ProviderType;
  apiKey?: string;
  baseUrl?: string;
  headers?: Record<string, string>;
  limits?: z.infer<typeof limitsSchema>;
  /** Settings of the provider's adapter; for the simulator those of `simulatorSettingsSchema`. */
  [setting: string]: Json | undefined;
}

/** Further keys go to the provider's adapter as they are, save for the simulator, whose keys are all known. */
export const providerSchema = z.discriminatedUnion("type", [
  simulatorProviderSchema,
  remoteProviderSchema,
]) as unknown as z.ZodType<ProviderDefinition>;

const usdPerMillion = z.number().min(0);

export const modelPriceSchema = z
  .strictObject({
    input: usdPerMillion.meta({ description: "Uncached input." }),
    output: usdPerMillion.meta({ description: "Output text." }),
    cacheRead: usdPerMillion.optional().meta({ description: "Input read from a cache. Default: input." }),
    cacheWrite: usdPerMillion.optional().meta({ description: "Input written to a cache. Default: input." }),
    reasoning: usdPerMillion.optional().meta({ description: "Reasoning output. Default: output." }),
  })
  .meta({ description: "US dollars per million tokens. Default: the price catalog." });

/** `PROVIDER/MODEL`; the model's part may hold further slashes. */
export const modelTargetSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]*\/\S+$/, "write PROVIDER/MODEL, for example openai/gpt-5-mini")
  .meta({ id: "ModelTarget", description: "PROVIDER/MODEL: a name under providers and the vendor's name of the model." });

export const modelSchema = z
  .union([
    modelTargetSchema,
    z.strictObject({
      use: modelTargetSchema.meta({ description: "PROVIDER/MODEL that is asked first." }),
      fallback: z.array(modelTargetSchema).optional().meta({ description: "Asked in order when the one before fails for good." }),
      timeout: durationSchema.optional().meta({ description: "Per attempt. Default 60s." }),
      retries: z.int().min(0).max(20).optional().meta({ description: "Further attempts at one target after the first. Default 2." }),
      limits: limitsSchema.optional().meta({
        description: "What this model may be asked for, fallbacks included, by all workers on one database; requests beyond wait.",
      }),
      hedge: z
        .strictObject({
          after: durationSchema.meta({ description: "How long a request may be without an answer before it is sent once more." }),
          max: z.int().min(1).max(3).optional().meta({ description: "Further requests at most. Default 1." }),
        })
        .optional()
        .meta({ description: "Send slow requests again; the first answer counts, and each request costs. Default: never." }),
      cache: durationSchema.optional().meta({ description: "How long an answer to the same request is given again. Default: never." }),
      price: modelPriceSchema.optional(),
    }),
  ])
  .meta({ id: "Model", description: "PROVIDER/MODEL, or a map with use, fallback, timeout, retries, limits, hedge and price." });
export type ModelDefinition = z.infer<typeof modelSchema>;

const runsAtOnce = z.int().min(1).max(1_000_000);

const environmentLimitsSchema = z
  .strictObject({
    concurrency: runsAtOnce.optional().meta({ description: "Runs of all flows together." }),
    flows: z
      .record(nameSchema, runsAtOnce)
      .optional()
      .meta({ description: "Runs of single flows; comes before limits.concurrency of a workflow file." }),
  })
  .meta({ description: "How many runs may be under way at once, over all servers; runs beyond wait in line. Default: any number." });

const retentionSchema = z
  .strictObject({
    runs: durationSchema.optional().meta({
      description: "Ended runs with all that belongs to them, for example 90d. What they cost stays in the totals of `flow-run costs`.",
    }),
    contents: durationSchema.optional().meta({
      description:
        "Inputs, outputs and messages of ended runs and their steps, for example 7d. Status, usage and cost stay as long as the run.",
    }),
    deliveries: durationSchema.optional().meta({ description: "Webhook deliveries that are over, with their attempts, for example 14d." }),
  })
  .meta({ description: "How long what runs leave behind is kept after their end. Default: for good." });

export const environmentSchema = z.strictObject({
  url: z.string().optional().meta({ description: "Where its server listens, for --env." }),
  models: z.record(nameSchema, modelSchema).optional().meta({ description: "Models that differ here, under the names that prompts use." }),
  limits: environmentLimitsSchema.optional(),
  retention: retentionSchema.optional(),
  gates: z.array(nameSchema).optional().meta({ description: "Names of evals that must pass before a deploy." }),
  vars: z.record(nameSchema, z.string()).optional().meta({ description: "Text that expressions read as ${{ vars.NAME }}." }),
});
export type EnvironmentDefinition = z.infer<typeof environmentSchema>;

/** `flow-run.yaml`. */
export const projectSchema = z
  .strictObject({
    name: z.string().min(1).max(100).meta({ description: "The project's name, the same in every environment." }),
    description: z.string().optional().meta({ description: "What the project is for." }),
    providers: z.record(nameSchema, providerSchema).optional().meta({ description: "Who serves LLMs, under names of your own." }),
    models: z
      .record(nameSchema, modelSchema)
      .optional()
      .meta({ description: "The names that prompts use: swap an LLM here, in one line. A prompt without a model uses `default`." }),
    environments: z.record(nameSchema, environmentSchema).optional().meta({ description: "dev, staging, prod…: where releases run." }),
  })
  .meta({ title: "flow-run.yaml", description: "A flow-run project: its providers, models and environments." });
export type ProjectDefinition = z.infer<typeof projectSchema>;
