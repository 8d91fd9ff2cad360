import type { TokenUsage } from "@flow-run/spec";
import type { ModelRequest } from "../model.ts";
import { priceOf } from "./price-of.ts";
import type { PriceQuestion } from "./price-question.ts";

/** Texts of few languages take more: English has 4 to 5 bytes a token, German and code 3 to 4, Chinese 3 to 4. */
const BYTES_PER_TOKEN = 3;
const TOKENS_PER_MESSAGE = 8;
const TOKENS_PER_MEDIA = 2_000;

/** Taken for an answer whose prompt sets no `maxOutputTokens`. */
export const USUAL_OUTPUT_TOKENS = 1_000;

const NONE: TokenUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };

/**
 * What a call may cost at most, as far as it can be known before: its input by the length of its texts, its output by `maxOutputTokens` or
 * `USUAL_OUTPUT_TOKENS`, each as the dearest kind of token it may turn out to be. `costNanoUsd` null: no known price, or not asked for.
 */
export function estimateCall(
  request: ModelRequest,
  price: Omit<PriceQuestion, "usage" | "rawUsage" | "responseModel"> | null,
): { tokens: number; costNanoUsd: number | null } {
  const input = inputTokens(request);
  const { maxOutputTokens } = request.config;
  const output = typeof maxOutputTokens === "number" ? maxOutputTokens : USUAL_OUTPUT_TOKENS;
  if (price === null) return { tokens: input + output, costNanoUsd: null };
  let dearest: number | null = null;
  for (const read of ["inputTokens", "cacheReadTokens", "cacheWriteTokens"] as const) {
    for (const written of ["outputTokens", "reasoningTokens"] as const) {
      const { costNanoUsd } = priceOf({ ...price, usage: { ...NONE, [read]: input, [written]: output } });
      if (costNanoUsd === null) return { tokens: input + output, costNanoUsd: null };
      dearest = Math.max(dearest ?? 0, costNanoUsd);
    }
  }
  return { tokens: input + output, costNanoUsd: dearest };
}

function inputTokens({ messages, output }: ModelRequest): number {
  let bytes = output?.schema === undefined ? 0 : Buffer.byteLength(JSON.stringify(output.schema));
  let tokens = 0;
  for (const message of messages) {
    tokens += TOKENS_PER_MESSAGE;
    for (const part of message.content) {
      if ("text" in part) bytes += Buffer.byteLength(part.text);
      else tokens += TOKENS_PER_MEDIA;
    }
  }
  return tokens + Math.ceil(bytes / BYTES_PER_TOKEN);
}
