import { followsStrictRules } from "./strict-schema.ts";
import type { Vendor, VendorSettings } from "./vendor.ts";
import { NO_KEY } from "./vendor.ts";

const OPTIONS: ReadonlySet<string> = new Set([
  "documentImageLimit",
  "documentPageLimit",
  "parallelToolCalls",
  "promptCacheKey",
  "reasoningEffort",
  "safePrompt",
  "strictJsonSchema",
  "structuredOutputs",
]);

/** Mistral's chat completions. */
export async function mistral(settings: VendorSettings): Promise<Vendor> {
  const { createMistral } = await import("@ai-sdk/mistral");
  const common = {
    baseURL: settings.baseUrl ?? "https://api.mistral.ai/v1",
    apiKey: settings.apiKey || NO_KEY,
    headers: settings.headers ?? {},
  };
  return {
    languageModel: (model, fetch) => createMistral({ ...common, fetch }).chat(model),
    optionsKey: "mistral",
    options: OPTIONS,
    schemaOptions: (schema) => ({ strictJsonSchema: followsStrictRules(schema) }),
    takesSchemas: () => settings.structuredOutputs !== false,
    systemFirst: true,
  };
}
