import type { TokenUsage } from "@flow-run/spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATALOG_VERSION, createPricing, type PriceOverride, type PriceQuestion, priceOf } from "./index.ts";

const NOVEMBER_2026 = Date.UTC(2026, 10, 22);
const NONE: TokenUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
const usage = (tokens: Partial<TokenUsage>): TokenUsage => ({ ...NONE, ...tokens });
const ask = (question: Partial<PriceQuestion>) =>
  priceOf({
    provider: "p",
    providerType: "openai",
    model: "gpt-5-mini",
    usage: usage({ inputTokens: 1 }),
    atMs: NOVEMBER_2026,
    ...question,
  });

describe("prices from the catalog", () => {
  it("prices each bucket apart: uncached input, cache reads, text and reasoning", () => {
    const answer = ask({ usage: usage({ inputTokens: 1_000, cacheReadTokens: 2_000, outputTokens: 300, reasoningTokens: 100 }) });
    // $0.25, $0.025 and $2 per million.
    expect(answer).toEqual({
      costNanoUsd: 250_000 + 50_000 + 600_000 + 200_000,
      priceVersion: CATALOG_VERSION,
      lines: [
        { bucket: "input", tokens: 1_000, usdPerMillion: 0.25, costNanoUsd: 250_000 },
        { bucket: "cacheRead", tokens: 2_000, usdPerMillion: 0.025, costNanoUsd: 50_000 },
        { bucket: "output", tokens: 300, usdPerMillion: 2, costNanoUsd: 600_000 },
        { bucket: "reasoning", tokens: 100, usdPerMillion: 2, costNanoUsd: 200_000 },
      ],
    });
  });

  it("prices cache writes once, and those that live for an hour at their own price", () => {
    const claude = { providerType: "anthropic", model: "claude-haiku-4-5", usage: usage({ inputTokens: 100, cacheWriteTokens: 1_000 }) };
    expect(ask(claude).costNanoUsd).toBe(100 * 1_000 + 1_000 * 1_250);
    const hourly = ask({ ...claude, rawUsage: { cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 } } });
    expect(hourly.costNanoUsd).toBe(100 * 1_000 + 400 * 1_250 + 600 * 2_000);
    const nonsense = ask({ ...claude, rawUsage: { cache_creation: { ephemeral_1h_input_tokens: 5_000 } } });
    expect(nonsense.costNanoUsd).toBe(100 * 1_000 + 1_000 * 1_250);
  });

  it("charges all tokens of a long request at its tier's price", () => {
    const sonnet = (inputTokens: number) =>
      ask({ providerType: "anthropic", model: "claude-sonnet-4-5", usage: usage({ inputTokens, outputTokens: 10 }) });
    expect(sonnet(200_000).costNanoUsd).toBe(200_000 * 3_000 + 10 * 15_000);
    expect(sonnet(200_001).costNanoUsd).toBe(200_001 * 6_000 + 10 * 22_500);
  });

  it("counts cached tokens towards a tier", () => {
    const answer = ask({
      providerType: "anthropic",
      model: "claude-sonnet-4-5",
      usage: usage({ inputTokens: 1, cacheReadTokens: 250_000 }),
    });
    expect(answer.costNanoUsd).toBe(6_000 + 250_000 * 600);
  });

  it("knows models by their dated names", () => {
    expect(ask({ model: "gpt-5-mini-2025-08-07" }).costNanoUsd).toBe(250);
    expect(ask({ providerType: "google", model: "gemini-2.5-flash" }).costNanoUsd).toBe(300);
  });

  it.each([
    ["mistral", "mistral-large-latest", 2_000],
    ["groq", "llama-3.3-70b-versatile", 590],
    ["groq", "openai/gpt-oss-120b", 150],
    ["azure", "gpt-5-mini", 250],
    ["amazon-bedrock", "anthropic.claude-haiku-4-5-20251001-v1:0", 1_100],
    ["amazon-bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", 1_100],
    ["amazon-bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0", 1_000],
    ["amazon-bedrock", "us.amazon.nova-pro-v1:0", 800],
  ])("knows the vendor's own price (%s/%s)", (providerType, model, costNanoUsd) => {
    expect(ask({ providerType, model }).costNanoUsd).toBe(costNanoUsd);
  });

  it("prices a deployment of Azure by the model that answered, and by its own name when that is not known", () => {
    const azure = { providerType: "azure", model: "support-deployment" };
    expect(ask(azure).costNanoUsd).toBeNull();
    expect(ask({ ...azure, responseModel: "gpt-5-mini-2025-08-07" }).costNanoUsd).toBe(250);
    expect(ask({ ...azure, model: "gpt-4o", responseModel: "gpt-4o-mini-2024-07-18" }).costNanoUsd).toBe(150);
    expect(ask({ ...azure, model: "gpt-4o", responseModel: "gpt-4o-deployment-of-mine" }).costNanoUsd).toBe(2_500);
    expect(ask({ model: "gpt-5-mini", responseModel: "gpt-4o" }).costNanoUsd).toBe(250);
  });

  it("prices Bedrock's cache writes that live for an hour at their own price where it has one", () => {
    const bedrock = {
      providerType: "amazon-bedrock",
      model: "global.anthropic.claude-haiku-4-5-20251001-v1:0",
      usage: usage({ cacheWriteTokens: 200 }),
    };
    const cacheDetails = [
      { ttl: "5m", inputTokens: 150 },
      { ttl: "1h", inputTokens: 50 },
    ];
    expect(ask({ ...bedrock, rawUsage: { cacheDetails } }).lines.map(({ bucket, tokens }) => [bucket, tokens])).toEqual([
      ["cacheWrite", 150],
      ["cacheWrite1h", 50],
    ]);
    expect(ask({ ...bedrock, rawUsage: { cacheDetails: [null, 7] as never } }).lines).toHaveLength(1);
  });

  it.each([
    ["a model that is not in it", { model: "gpt-0" }],
    ["a type that is not in it", { providerType: "nowhere" }],
    ["a server that only speaks the protocol", { providerType: "openai-compatible", model: "gpt-5-mini" }],
    ["a server at an address of its own", { providerType: "openai-compatible", model: "gpt-5-mini", baseUrl: "http://127.0.0.1:11434/v1" }],
    ["a call whose usage is unknown", { usage: null }],
    ["negative usage", { usage: usage({ inputTokens: -1 }) }],
    ["fractional usage", { usage: usage({ inputTokens: 0.5 }) }],
    ["usage that is no number", { usage: usage({ outputTokens: Number.NaN }) }],
  ])("does not know the price of %s, and does not call it 0", (_, question) => {
    expect(ask(question)).toEqual({ costNanoUsd: null, priceVersion: null, lines: [] });
  });

  it("knows resellers by their address", () => {
    const answer = ask({ providerType: "openai-compatible", model: "llama-3.3-70b-versatile", baseUrl: "https://api.groq.com/openai/v1" });
    expect(answer.costNanoUsd).toBeGreaterThan(0);
  });

  it("answers the same with what it remembers as with what it looks up", () => {
    const pricing = createPricing();
    const question = { provider: "p", providerType: "openai", model: "gpt-5-mini", usage: usage({ inputTokens: 7 }), atMs: NOVEMBER_2026 };
    const first = pricing.priceOf(question);
    expect(pricing.priceOf(question)).toEqual(first);
    expect(pricing.priceOf({ ...question, usage: usage({ inputTokens: 14 }) }).costNanoUsd).toBe(first.costNanoUsd! * 2);
  });
});

describe("overrides", () => {
  const price: PriceOverride = { input: 0.25, output: 2 };

  it("are exact where floats drift", () => {
    expect(ask({ usage: usage({ inputTokens: 1_000_000 }), override: { input: 0.000001, output: 0 } }).costNanoUsd).toBe(1_000);
    expect(ask({ usage: usage({ inputTokens: 3 }), override: { input: 0.1, output: 0 } }).costNanoUsd).toBe(300);
    const each = ask({ usage: usage({ inputTokens: 1 }), override: { input: 0.07, output: 0 } }).costNanoUsd!;
    expect(Array.from({ length: 1_000_000 }, () => each).reduce((sum, cost) => sum + cost, 0)).toBe(70_000_000);
  });

  it("round the sum once, half up, to whole nano-dollars", () => {
    const half = { input: 0.0005, output: 0.0005 };
    expect(ask({ usage: usage({ inputTokens: 1 }), override: half }).costNanoUsd).toBe(1);
    expect(ask({ usage: usage({ inputTokens: 1, outputTokens: 1 }), override: half }).costNanoUsd).toBe(1);
    expect(ask({ usage: usage({ inputTokens: 1 }), override: { input: 0.0004, output: 0 } }).costNanoUsd).toBe(0);
  });

  it("charge what they do not name as the bucket it belongs to", () => {
    const tokens = usage({ cacheReadTokens: 10, cacheWriteTokens: 10, reasoningTokens: 10 });
    expect(ask({ usage: tokens, override: price }).costNanoUsd).toBe(10 * 250 + 10 * 250 + 10 * 2_000);
    expect(ask({ usage: tokens, override: { ...price, cacheRead: 0.025, cacheWrite: 0.5, reasoning: 3 } }).costNanoUsd).toBe(
      250 + 5_000 + 30_000,
    );
  });

  it("carry a version that changes with the price and with nothing else", () => {
    const version = (override: PriceOverride) => ask({ override }).priceVersion;
    expect(version(price)).toMatch(/^override:[0-9a-f]{12}$/);
    expect(version({ output: 2, input: 0.25 })).toBe(version(price));
    expect(version({ ...price, cacheRead: 0 })).not.toBe(version(price));
  });

  it("beat the catalog, and charge for the simulator, which is free without one", () => {
    expect(ask({ override: price }).priceVersion).toMatch(/^override:/);
    expect(ask({ providerType: "simulator" })).toEqual({ costNanoUsd: 0, priceVersion: "simulator", lines: [] });
    expect(ask({ providerType: "simulator", override: price }).costNanoUsd).toBe(250);
    expect(ask({ providerType: "simulator", usage: null }).costNanoUsd).toBeNull();
  });

  it("give lines that add up to the sum, whatever the usage", () => {
    const tokens = fc.integer({ min: 0, max: 10_000_000 });
    const usd = fc.integer({ min: 0, max: 100_000_000 }).map((micro) => micro / 1e6);
    fc.assert(
      fc.property(
        fc.record({
          inputTokens: tokens,
          outputTokens: tokens,
          cacheReadTokens: tokens,
          cacheWriteTokens: tokens,
          reasoningTokens: tokens,
        }),
        fc.record({ input: usd, output: usd, cacheRead: usd, cacheWrite: usd, reasoning: usd }),
        (counts, override) => {
          const { costNanoUsd, lines } = ask({ usage: counts, override });
          // Micro-dollars per million tokens are femto-dollars ×10³ per token: whole numbers all the way.
          const exact =
            BigInt(counts.inputTokens) * micro(override.input) +
            BigInt(counts.outputTokens) * micro(override.output) +
            BigInt(counts.cacheReadTokens) * micro(override.cacheRead) +
            BigInt(counts.cacheWriteTokens) * micro(override.cacheWrite) +
            BigInt(counts.reasoningTokens) * micro(override.reasoning);
          expect(costNanoUsd).toBe(Number((exact + 500n) / 1000n));
          expect(Math.abs(lines.reduce((sum, line) => sum + line.costNanoUsd, 0) - costNanoUsd!)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

function micro(usd: number): bigint {
  return BigInt(Math.round(usd * 1e6));
}
