import { expect, it } from "vitest";
import type { ModelRequest } from "../model.ts";
import { estimateCall, USUAL_OUTPUT_TOKENS } from "./estimate-call.ts";

const ask = (text: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [{ role: "user", content: [{ text }] }],
  config: { maxOutputTokens: 100 },
  ...more,
});
const price = { provider: "p", providerType: "openai-compatible", model: "m", atMs: Date.UTC(2026, 10, 22) };

it("takes a token for three bytes, so that no language has more tokens than were expected", () => {
  expect(estimateCall(ask("x".repeat(300)), null)).toEqual({ tokens: 8 + 100 + 100, costNanoUsd: null });
  expect(estimateCall(ask("中".repeat(300)), null).tokens).toBe(8 + 300 + 100);
});

it("counts media, schemas and every message", () => {
  const media = [{ role: "user" as const, content: [{ media: { url: "data:image/png;base64,AAAA" } }] }];
  expect(estimateCall(ask("", { messages: media }), null).tokens).toBe(8 + 2_000 + 100);
  const schema = { type: "object" };
  expect(estimateCall(ask("", { output: { schema } }), null).tokens).toBe(8 + Math.ceil(JSON.stringify(schema).length / 3) + 100);
});

it("takes an answer of unknown length for a usual one", () => {
  expect(estimateCall(ask("", { config: {} }), null).tokens).toBe(8 + USUAL_OUTPUT_TOKENS);
});

it("prices each token as the dearest kind that it may turn out to be", () => {
  const override = { input: 1, output: 2, cacheWrite: 3, reasoning: 5 };
  expect(estimateCall(ask("x".repeat(276)), { ...price, override }).costNanoUsd).toBe(100 * 3_000 + 100 * 5_000);
});

it("knows no price where nobody does", () => {
  expect(estimateCall(ask("x"), price).costNanoUsd).toBeNull();
});
