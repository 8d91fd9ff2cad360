import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import { describe, expect, it } from "vitest";
import { convertUsage } from "./convert-usage.ts";

function usage(
  input: number | undefined,
  output: number | undefined,
  parts: { read?: number; write?: number; reasoning?: number } = {},
  raw: object = {},
): LanguageModelV4Usage {
  return {
    inputTokens: { total: input, noCache: undefined, cacheRead: parts.read, cacheWrite: parts.write },
    outputTokens: { total: output, text: undefined, reasoning: parts.reasoning },
    raw: raw as LanguageModelV4Usage["raw"],
  };
}

describe("usage", () => {
  it("comes in buckets that do not overlap", () => {
    expect(convertUsage(usage(1_320, 130, { read: 1_000, write: 200, reasoning: 100 }))).toEqual({
      inputTokens: 120,
      cacheReadTokens: 1_000,
      cacheWriteTokens: 200,
      outputTokens: 30,
      reasoningTokens: 100,
    });
  });

  it("knows servers that count reasoning beside the output, by their total", () => {
    const apart = { prompt_tokens: 120, completion_tokens: 30, total_tokens: 250 };
    expect(convertUsage(usage(120, 30, { reasoning: 100 }, apart))).toMatchObject({ outputTokens: 30, reasoningTokens: 100 });
    const within = { prompt_tokens: 120, completion_tokens: 130, total_tokens: 250 };
    expect(convertUsage(usage(120, 130, { reasoning: 100 }, within))).toMatchObject({ outputTokens: 30, reasoningTokens: 100 });
  });

  it.each([
    ["missing", undefined],
    ["without input", usage(undefined, 5)],
    ["without output", usage(5, undefined)],
    ["nothing at all", usage(0, 0)],
    ["negative", usage(-1, 5)],
    ["fractional", usage(1.5, 5)],
    ["absurdly large", usage(1e308, 5)],
    ["not a number", usage(Number.NaN, 5)],
    ["more cached than input", usage(10, 5, { read: 11 })],
    ["more read and written than input", usage(10, 5, { read: 6, write: 6 })],
    ["more reasoning than output", usage(10, 5, { reasoning: 6 })],
  ])("is unknown when it is %s", (_, given) => {
    expect(convertUsage(given)).toBeNull();
  });
});
