import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { Json } from "@flow-run/spec";
import { ModelCallError } from "../model-call-error.ts";
import type { Vendor } from "./vendor.ts";

const NUMBERS = ["temperature", "maxOutputTokens", "topP", "topK", "seed", "presencePenalty", "frequencyPenalty"] as const;

/** Levels of `reasoning` that every vendor understands in its own way. */
const REASONING = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

type Settings = Pick<LanguageModelV4CallOptions, (typeof NUMBERS)[number] | "stopSequences" | "reasoning">;

export interface ConvertedConfig {
  /** Settings that mean the same with every vendor. */
  settings: Settings;
  /** The vendor's own options, by the library's names. */
  options: { [name: string]: Json };
  /** Settings that only the vendor knows: they go into the request's body as they are. */
  body: { [name: string]: Json } | null;
}

/** Sorts the author's settings. Throws `provider-rejected` for a value of the wrong type, before anything is sent. */
export function convertConfig(config: { readonly [name: string]: Json }, vendor: Vendor): ConvertedConfig {
  const settings: Settings = {};
  const options: { [name: string]: Json } = { ...vendor.defaults };
  let body: { [name: string]: Json } | null = null;
  for (const [name, value] of Object.entries(config)) {
    if (value === null) continue;
    if ((NUMBERS as readonly string[]).includes(name)) {
      if (typeof value !== "number") throw wrongType(name, "a number");
      settings[name as (typeof NUMBERS)[number]] = value;
    } else if (name === "stopSequences") {
      if (!Array.isArray(value) || value.some((entry) => typeof entry !== "string")) throw wrongType(name, "a list of texts");
      settings.stopSequences = value as string[];
    } else if (name === "reasoning" && (REASONING as readonly Json[]).includes(value)) {
      settings.reasoning = value as (typeof REASONING)[number];
    } else if (vendor.options === "all" || vendor.options.has(name)) {
      options[name] = value;
    } else {
      body ??= {};
      body[name] = value;
    }
  }
  return { settings, options, body };
}

function wrongType(name: string, expected: string): ModelCallError {
  return new ModelCallError("provider-rejected", `config.${name} must be ${expected}.`);
}
