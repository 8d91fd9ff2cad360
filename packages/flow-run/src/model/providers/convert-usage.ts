import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import type { Json, TokenUsage } from "@flow-run/spec";

/** No request of any vendor comes near; more is a defect of the sender. */
const MAX_TOKENS = 1e9;

/**
 * The vendor's count in five disjoint buckets. Null when there is none, when it contradicts itself (more cached than input, more reasoning
 * than output), or when it is nonsense (negative, fractional, absurdly large, nothing at all): an unknown bill is flagged, a wrong one is believed.
 */
export function convertUsage(usage: LanguageModelV4Usage | undefined): TokenUsage | null {
  const input = usage?.inputTokens.total;
  const output = usage?.outputTokens.total;
  if (usage === undefined || input === undefined || output === undefined) return null;
  const cacheReadTokens = usage.inputTokens.cacheRead ?? 0;
  const cacheWriteTokens = usage.inputTokens.cacheWrite ?? 0;
  const reasoningTokens = usage.outputTokens.reasoning ?? untoldReasoning(usage.raw);
  const buckets: TokenUsage = {
    inputTokens: input - cacheReadTokens - cacheWriteTokens,
    outputTokens: reasoningIsApart(usage.raw, reasoningTokens) ? output : output - reasoningTokens,
    cacheReadTokens,
    cacheWriteTokens,
    reasoningTokens,
  };
  const counts = Object.values(buckets);
  const plausible =
    counts.every((count) => Number.isInteger(count) && count >= 0 && count <= MAX_TOKENS) && counts.some((count) => count > 0);
  return plausible ? buckets : null;
}

/** The usage object as the vendor sent it. */
export function rawUsageOf(usage: LanguageModelV4Usage | undefined): Json {
  return (usage?.raw as Json | undefined) ?? null;
}

/** Mistral's library leaves reasoning where the vendor has it. */
function untoldReasoning(raw: LanguageModelV4Usage["raw"]): number {
  const details = raw?.completion_tokens_details as { reasoning_tokens?: unknown } | null | undefined;
  return typeof details?.reasoning_tokens === "number" ? details.reasoning_tokens : 0;
}

/** OpenAI counts reasoning among the output; some servers that speak its protocol count it beside. Their total tells which. */
function reasoningIsApart(raw: LanguageModelV4Usage["raw"], reasoning: number): boolean {
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = raw ?? {};
  if (reasoning === 0 || typeof prompt !== "number" || typeof completion !== "number") return false;
  return total === prompt + completion + reasoning;
}
