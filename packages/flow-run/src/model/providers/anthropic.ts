import type { Vendor, VendorSettings } from "./vendor.ts";
import { NO_KEY } from "./vendor.ts";

const OPTIONS: ReadonlySet<string> = new Set([
  "anthropicBeta",
  "cacheControl",
  "container",
  "contextManagement",
  "disableParallelToolUse",
  "effort",
  "inferenceGeo",
  "mcpServers",
  "metadata",
  "sendReasoning",
  "serviceTier",
  "speed",
  "structuredOutputMode",
  "taskBudget",
  "thinking",
]);

/** Anthropic's Messages API. Bounds of numbers and lengths reach it only as descriptions: answers are validated by us in any case. */
export async function anthropic(settings: VendorSettings): Promise<Vendor> {
  const { createAnthropic } = await import("@ai-sdk/anthropic");
  const common = {
    baseURL: settings.baseUrl ?? "https://api.anthropic.com/v1",
    apiKey: settings.apiKey || NO_KEY,
    headers: settings.headers ?? {},
  };
  return {
    languageModel: (model, fetch) => createAnthropic({ ...common, fetch }).languageModel(model),
    optionsKey: "anthropic",
    options: OPTIONS,
    takesSchemas: () => true,
    systemFirst: true,
  };
}
