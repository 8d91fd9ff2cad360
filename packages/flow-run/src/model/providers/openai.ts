import { CHAT_OPTIONS, RESPONSES_OPTIONS } from "./openai-options.ts";
import { followsStrictRules } from "./strict-schema.ts";
import type { Vendor, VendorSettings } from "./vendor.ts";
import { NO_KEY } from "./vendor.ts";

/** OpenAI: the Responses API, or chat completions with `api: chat`. Answers are not stored at OpenAI unless `store: true` is set. */
export async function openAI(settings: VendorSettings): Promise<Vendor> {
  const { createOpenAI } = await import("@ai-sdk/openai");
  const chat = settings.api === "chat";
  const common = {
    baseURL: settings.baseUrl ?? "https://api.openai.com/v1",
    apiKey: settings.apiKey || NO_KEY,
    headers: settings.headers ?? {},
    organization: settings.organization,
    project: settings.project,
  };
  return {
    languageModel: (model, fetch) => {
      const provider = createOpenAI({ ...common, fetch });
      return chat ? provider.chat(model) : provider.responses(model);
    },
    optionsKey: "openai",
    options: chat ? CHAT_OPTIONS : RESPONSES_OPTIONS,
    defaults: chat ? {} : { store: false },
    schemaOptions: (schema) => ({ strictJsonSchema: followsStrictRules(schema) }),
    isVoid: (raw) => (raw as { output?: unknown[] } | null)?.output?.length === 0,
    takesSchemas: () => true,
    systemFirst: false,
  };
}
