import { followsStrictRules } from "./strict-schema.ts";
import type { Vendor, VendorSettings } from "./vendor.ts";
import { NO_KEY } from "./vendor.ts";

const OPTIONS: ReadonlySet<string> = new Set([
  "parallelToolCalls",
  "reasoningEffort",
  "reasoningFormat",
  "serviceTier",
  "strictJsonSchema",
  "structuredOutputs",
  "user",
]);

/** Other models refuse a request with a schema. */
const TAKES_SCHEMAS = /^(openai\/gpt-oss|moonshotai\/kimi-k2|meta-llama\/llama-4)/;
/** Of those that take a schema, the ones that can be held to it. */
const STRICT = /^openai\/gpt-oss/;

/** Groq's chat completions. `structuredOutputs: true` or `false` in the settings overrules what is known of its models. */
export async function groq(settings: VendorSettings): Promise<Vendor> {
  const { createGroq } = await import("@ai-sdk/groq");
  const common = {
    baseURL: settings.baseUrl ?? "https://api.groq.com/openai/v1",
    apiKey: settings.apiKey || NO_KEY,
    headers: settings.headers ?? {},
  };
  const { structuredOutputs } = settings;
  return {
    languageModel: (model, fetch) => createGroq({ ...common, fetch }).languageModel(model),
    optionsKey: "groq",
    options: OPTIONS,
    schemaOptions: (schema, model) => ({ strictJsonSchema: STRICT.test(model) && followsStrictRules(schema) }),
    takesSchemas: (model) => (typeof structuredOutputs === "boolean" ? structuredOutputs : TAKES_SCHEMAS.test(model)),
    systemFirst: false,
    wholeJson: true,
  };
}
