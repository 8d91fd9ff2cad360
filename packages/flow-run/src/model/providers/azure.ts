import { CHAT_OPTIONS, RESPONSES_OPTIONS } from "./openai-options.ts";
import { followsStrictRules } from "./strict-schema.ts";
import type { Vendor, VendorSettings } from "./vendor.ts";
import { NO_KEY } from "./vendor.ts";

/**
 * OpenAI's models at Azure; the model's name is that of a deployment. The v1 API by default: Responses, or chat completions with `api: chat`.
 * A dated `apiVersion` (2024-10-21) means the older API, whose addresses hold the deployment and which has chat completions only.
 */
export async function azure(settings: VendorSettings): Promise<Vendor> {
  const { createAzure } = await import("@ai-sdk/azure");
  const dated = /^\d/.test(settings.apiVersion ?? "");
  const chat = dated || settings.api === "chat";
  const common = {
    // One of the two is there, and with it the library asks the environment for none.
    ...(settings.baseUrl === undefined ? { resourceName: settings.resourceName ?? "" } : { baseURL: settings.baseUrl }),
    ...(settings.apiVersion === undefined ? {} : { apiVersion: settings.apiVersion }),
    useDeploymentBasedUrls: dated,
    apiKey: settings.apiKey || NO_KEY,
    headers: settings.headers ?? {},
  };
  return {
    languageModel: (deployment, fetch) => {
      const provider = createAzure({ ...common, fetch });
      return chat ? provider.chat(deployment) : provider.responses(deployment);
    },
    optionsKey: chat ? "openai" : "azure",
    options: chat ? CHAT_OPTIONS : RESPONSES_OPTIONS,
    defaults: chat ? {} : { store: false },
    schemaOptions: (schema) => ({ strictJsonSchema: followsStrictRules(schema) }),
    isVoid: (raw) => (raw as { output?: unknown[] } | null)?.output?.length === 0,
    isRefusal,
    takesSchemas: () => true,
    systemFirst: false,
  };
}

/** A part of type `refusal` in the Responses API. */
function isRefusal(raw: unknown): boolean {
  const { type, output } = (raw ?? {}) as { type?: unknown; output?: { content?: { type?: unknown }[] }[] };
  if (type === "response.refusal.done") return true;
  return (
    Array.isArray(output) && output.some((item) => Array.isArray(item?.content) && item.content.some((part) => part?.type === "refusal"))
  );
}
