import { createRequire } from "node:module";
import type * as Prices from "@pydantic/genai-prices";

/** The version of the price data; kept with every priced call. */
export const CATALOG_VERSION = "genai-prices@0.1.8";

/** US dollars per million tokens, for a request of that many input tokens. */
export interface CatalogPrices {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  cacheWrite1h: number;
}

const CATALOG_IDS: { readonly [providerType: string]: string } = {
  openai: "openai",
  anthropic: "anthropic",
  google: "google",
  mistral: "mistral",
  groq: "groq",
  azure: "azure",
  "amazon-bedrock": "aws",
};

/**
 * Public list prices, by vendor, model and day. Loaded at the first question: its data is large. Null when model or vendor is not in it. A
 * server that merely speaks OpenAI's protocol is priced only when its address is that of a known reseller: names of models prove nothing.
 */
export class PriceCatalog {
  private library: typeof Prices | null = null;
  private readonly known = new Map<string, Prices.ModelPrice | null>();

  pricesFor(question: { providerType: string; baseUrl?: string; model: string; inputTokens: number; atMs: number }): CatalogPrices | null {
    const prices = this.modelPrice(question);
    if (prices === null) return null;
    const at = (key: string) => amount(prices[key], question.inputTokens);
    const input = at("input_mtok");
    const output = at("output_mtok");
    // A model priced by the second or the image has no price per token; zero is a price, missing is not.
    if (input === undefined || output === undefined) return null;
    const cacheWrite = at("cache_write_mtok") ?? input;
    return { input, output, cacheRead: at("cache_read_mtok") ?? input, cacheWrite, cacheWrite1h: at("cache_write_1h_mtok") ?? cacheWrite };
  }

  /** The library takes 25 µs to find a model among thousands; prices change by the minute at most (some vendors price by time of day). */
  private modelPrice({
    providerType,
    baseUrl,
    model,
    atMs,
  }: {
    providerType: string;
    baseUrl?: string;
    model: string;
    atMs: number;
  }): Prices.ModelPrice | null {
    const minute = Math.floor(atMs / 60_000);
    const key = `${providerType}|${baseUrl ?? ""}|${model}|${minute}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= 1_000) this.known.clear();
    const found = this.lookUp(providerType, baseUrl, model, new Date(minute * 60_000));
    this.known.set(key, found);
    return found;
  }

  private lookUp(providerType: string, baseUrl: string | undefined, model: string, timestamp: Date): Prices.ModelPrice | null {
    this.library ??= createRequire(import.meta.url)("@pydantic/genai-prices") as typeof Prices;
    const providerId = CATALOG_IDS[providerType];
    try {
      if (providerId !== undefined) return this.library.calcPrice(ONE_TOKEN, model, { providerId, timestamp })?.model_price ?? null;
      const reseller = baseUrl === undefined ? undefined : this.library.findProvider({ providerApiUrl: baseUrl });
      return reseller === undefined
        ? null
        : (this.library.calcPrice(ONE_TOKEN, model, { provider: reseller, timestamp })?.model_price ?? null);
    } catch {
      // It throws for entries that it cannot make sense of: that is an unknown price, not a failed run.
      return null;
    }
  }
}

const ONE_TOKEN = { input_tokens: 1, output_tokens: 1 };

/** Tiers are cliffs: beyond a tier's start its price holds for all tokens of the request. */
function amount(price: Prices.ModelPrice[string], inputTokens: number): number | undefined {
  if (price === undefined || typeof price === "number") return price;
  return price.tiers.reduce((current, tier) => (inputTokens > tier.start ? tier.price : current), price.base);
}
