import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { HttpFetch } from "../http/http-fetch.ts";
import type { DirectModel } from "./direct-call.ts";
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
  const languageModel = (model: string, fetch: HttpFetch) =>
    createOpenAICompatible({
      name: "openaiCompatible",
      baseURL: baseUrl,
      ...(settings.apiKey ? { apiKey: settings.apiKey } : {}),
      headers: settings.headers ?? {},
      includeUsage: true,
      supportsStructuredOutputs: takesSchemas,
      fetch,
    }).chatModel(model) as LanguageModelV4 & DirectModel["library"];
  return {
    languageModel,
    directModel: (model, fetch) => ({
      url: `${baseUrl.replace(/\/$/, "")}/chat/completions`,
      headers: {
        "content-type": "application/json",
        ...(settings.apiKey ? { authorization: `Bearer ${settings.apiKey}` } : {}),
        "user-agent": "flow-run",
        ...settings.headers,
      },
      library: languageModel(model, fetch),
      over: (other) => languageModel(model, other),
    }),
    optionsKey: "openaiCompatible",
    options: "all",
    schemaOptions: (schema) => ({ strictJsonSchema: followsStrictRules(schema) }),
    takesSchemas: () => takesSchemas,
    systemFirst: false,
  };
}
