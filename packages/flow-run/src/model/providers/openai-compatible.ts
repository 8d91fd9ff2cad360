import { followsStrictRules } from "./strict-schema.ts";
import type { Vendor, VendorSettings } from "./vendor.ts";

/**
 * Any server that speaks OpenAI's chat completions: Ollama, vLLM, OpenRouter… Needs `baseUrl`; a key only where the server wants one.
 * `structuredOutputs: false` for servers that know `json_object` but no schemas: the schema is then written into the prompt.
 */
export async function openAICompatible(settings: VendorSettings): Promise<Vendor> {
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const baseUrl = settings.baseUrl ?? "";
  const takesSchemas = settings.structuredOutputs !== false;
  return {
    languageModel: (model, fetch) =>
      createOpenAICompatible({
        name: "openaiCompatible",
        baseURL: baseUrl,
        ...(settings.apiKey ? { apiKey: settings.apiKey } : {}),
        headers: settings.headers ?? {},
        includeUsage: true,
        supportsStructuredOutputs: takesSchemas,
        fetch,
      }).chatModel(model),
    optionsKey: "openaiCompatible",
    options: "all",
    schemaOptions: (schema) => ({ strictJsonSchema: followsStrictRules(schema) }),
    takesSchemas: () => takesSchemas,
    systemFirst: false,
  };
}
