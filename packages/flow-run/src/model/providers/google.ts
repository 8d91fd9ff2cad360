import type { Vendor, VendorSettings } from "./vendor.ts";
import { NO_KEY } from "./vendor.ts";

const OPTIONS: ReadonlySet<string> = new Set([
  "audioTimestamp",
  "cachedContent",
  "imageConfig",
  "labels",
  "mediaResolution",
  "responseModalities",
  "retrievalConfig",
  "safetySettings",
  "serviceTier",
  "structuredOutputs",
  "thinkingConfig",
  "threshold",
]);

/** Google's Gemini API (generateContent). */
export async function google(settings: VendorSettings): Promise<Vendor> {
  const { createGoogle } = await import("@ai-sdk/google");
  const common = {
    baseURL: settings.baseUrl ?? "https://generativelanguage.googleapis.com/v1beta",
    apiKey: settings.apiKey || NO_KEY,
    headers: settings.headers ?? {},
  };
  return {
    languageModel: (model, fetch) => createGoogle({ ...common, fetch }).languageModel(model),
    optionsKey: "google",
    options: OPTIONS,
    takesSchemas: () => true,
    systemFirst: true,
    responseModel: (raw) => {
      const version = (raw as { modelVersion?: unknown } | null)?.modelVersion;
      return typeof version === "string" ? version : null;
    },
  };
}
