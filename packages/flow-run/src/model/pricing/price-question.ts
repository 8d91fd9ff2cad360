import type { Json, TokenUsage } from "@flow-run/spec";

/** US dollars per million tokens. What is missing costs as much as the bucket it belongs to: cached tokens as input, reasoning as output. */
export interface PriceOverride {
  input: number;
  output: number;
  cacheRead?: number;
  cacheWrite?: number;
  reasoning?: number;
}

export interface PriceQuestion {
  /** Name in the project file. */
  provider: string;
  /** Its type: openai, anthropic, google, openai-compatible, simulator… */
  providerType: string;
  /** Tells which reseller an OpenAI-compatible server is; without it such a server's price is unknown. */
  baseUrl?: string;
  model: string;
  /** The model that answered, as the vendor says; at Azure `model` is the name of a deployment and may say anything. */
  responseModel?: string | null;
  usage: TokenUsage | null;
  /** As the vendor sent it; tells apart cache writes that live for an hour. */
  rawUsage?: Json;
  override?: PriceOverride;
  /** When the call was made: prices have a history. Epoch milliseconds. */
  atMs: number;
}

export interface PriceLine {
  bucket: "input" | "cacheRead" | "cacheWrite" | "cacheWrite1h" | "output" | "reasoning";
  tokens: number;
  usdPerMillion: number;
  /** Exact, not rounded: may have a fraction. */
  costNanoUsd: number;
}

export interface PriceAnswer {
  /** Integer nano-dollars, rounded once, half up; null when the price or the usage is unknown. */
  costNanoUsd: number | null;
  /** The catalog's name and version, `override:` and a hash of the override, or `simulator`. */
  priceVersion: string | null;
  /** How the sum comes about. */
  lines: PriceLine[];
}
