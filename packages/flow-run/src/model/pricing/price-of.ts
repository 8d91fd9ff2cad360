import type { TokenUsage } from "@flow-run/spec";
import { exactCost } from "./exact-cost.ts";
import { OverrideVersions } from "./override-version.ts";
import { CATALOG_VERSION, PriceCatalog } from "./price-catalog.ts";
import type { PriceAnswer, PriceLine, PriceOverride, PriceQuestion } from "./price-question.ts";

export interface Pricing {
  priceOf(question: PriceQuestion): PriceAnswer;
}

const UNKNOWN: PriceAnswer = { costNanoUsd: null, priceVersion: null, lines: [] };

/**
 * Prices calls. An override beats the catalog; the simulator is free unless it has one; a price or usage that is not known is null and never 0.
 *
 * @example createPricing().priceOf({ provider: "openai", providerType: "openai", model: "gpt-5-mini", usage, atMs: Date.now() })
 */
export function createPricing(): Pricing {
  const catalog = new PriceCatalog();
  const versions = new OverrideVersions();
  return {
    priceOf(question) {
      const { usage, override } = question;
      if (usage === null || !isCount(usage)) return UNKNOWN;
      if (override !== undefined) return { ...exactCost(overriddenLines(usage, override)), priceVersion: versions.of(override) };
      if (question.providerType === "simulator") return { costNanoUsd: 0, priceVersion: "simulator", lines: [] };
      const hourly = hourlyCacheWrites(question, usage);
      const inputTokens = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
      const answered = question.providerType === "azure" ? question.responseModel : null;
      const prices =
        (answered ? catalog.pricesFor({ ...question, model: answered, inputTokens }) : null) ??
        catalog.pricesFor({ ...question, inputTokens });
      if (prices === null) return UNKNOWN;
      const lines = usedLines([
        { bucket: "input", tokens: usage.inputTokens, usdPerMillion: prices.input },
        { bucket: "cacheRead", tokens: usage.cacheReadTokens, usdPerMillion: prices.cacheRead },
        { bucket: "cacheWrite", tokens: usage.cacheWriteTokens - hourly, usdPerMillion: prices.cacheWrite },
        { bucket: "cacheWrite1h", tokens: hourly, usdPerMillion: prices.cacheWrite1h },
        { bucket: "output", tokens: usage.outputTokens, usdPerMillion: prices.output },
        { bucket: "reasoning", tokens: usage.reasoningTokens, usdPerMillion: prices.output },
      ]);
      return { ...exactCost(lines), priceVersion: CATALOG_VERSION };
    },
  };
}

/** The catalog of this process: data that never changes, read once because reading it takes a while. */
const processPricing = createPricing();

/** Prices one call; see `createPricing`. */
export function priceOf(question: PriceQuestion): PriceAnswer {
  return processPricing.priceOf(question);
}

function overriddenLines(usage: TokenUsage, price: PriceOverride): Omit<PriceLine, "costNanoUsd">[] {
  return usedLines([
    { bucket: "input", tokens: usage.inputTokens, usdPerMillion: price.input },
    { bucket: "cacheRead", tokens: usage.cacheReadTokens, usdPerMillion: price.cacheRead ?? price.input },
    { bucket: "cacheWrite", tokens: usage.cacheWriteTokens, usdPerMillion: price.cacheWrite ?? price.input },
    { bucket: "output", tokens: usage.outputTokens, usdPerMillion: price.output },
    { bucket: "reasoning", tokens: usage.reasoningTokens, usdPerMillion: price.reasoning ?? price.output },
  ]);
}

function usedLines(lines: Omit<PriceLine, "costNanoUsd">[]): Omit<PriceLine, "costNanoUsd">[] {
  return lines.filter((line) => line.tokens > 0);
}

/** Cache entries that live for an hour cost more; Anthropic and Bedrock say how many in their own usage objects only. */
function hourlyCacheWrites({ rawUsage }: PriceQuestion, usage: TokenUsage): number {
  const raw = rawUsage as RawCacheWrites | null | undefined;
  const detail =
    raw?.cache_creation?.ephemeral_1h_input_tokens ??
    (Array.isArray(raw?.cacheDetails) ? raw.cacheDetails.find((entry) => entry?.ttl === "1h")?.inputTokens : undefined);
  return typeof detail === "number" && Number.isInteger(detail) && detail > 0 && detail <= usage.cacheWriteTokens ? detail : 0;
}

interface RawCacheWrites {
  cache_creation?: { ephemeral_1h_input_tokens?: unknown };
  cacheDetails?: ({ ttl?: unknown; inputTokens?: unknown } | null)[];
}

function isCount(usage: TokenUsage): boolean {
  return Object.values(usage).every((tokens) => Number.isSafeInteger(tokens) && tokens >= 0);
}
