import { describe, expect, it } from "vitest";
import { rateLimitPauseMs } from "./rate-limit-pause.ts";

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const DAY = 24 * 60 * 60 * 1000;

describe("a pause", () => {
  it.each([
    [
      "OpenAI, requests used up",
      {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-remaining-tokens": "199684",
        "x-ratelimit-reset-requests": "120ms",
        "x-ratelimit-reset-tokens": "94ms",
      },
      120,
    ],
    [
      "OpenAI, tokens used up",
      {
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-reset-tokens": "6m0s",
      },
      360_000,
    ],
    [
      "OpenAI, both used up",
      {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-requests": "8.64s",
        "x-ratelimit-reset-tokens": "20ms",
      },
      8_640,
    ],
    [
      "Anthropic",
      {
        date: "Sun, 22 Nov 2026 12:00:00 GMT",
        "anthropic-ratelimit-input-tokens-limit": "80000",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-22T12:00:41Z",
        "anthropic-ratelimit-output-tokens-remaining": "16000",
        "anthropic-ratelimit-output-tokens-reset": "2026-11-22T12:00:00Z",
        "anthropic-ratelimit-requests-remaining": "999",
        "anthropic-ratelimit-requests-reset": "2026-11-22T11:59:59Z",
      },
      41_000,
    ],
    [
      "Anthropic, with a clock that is an hour ahead of ours",
      {
        date: "Sun, 22 Nov 2026 13:00:00 GMT",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-22T13:00:07Z",
      },
      7_000,
    ],
    [
      "Groq",
      {
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-limit-tokens": "18000",
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-reset-tokens": "7.66s",
      },
      7_660,
    ],
    [
      "Azure",
      { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "10", "x-ratelimit-remaining-tokens": "1200" },
      10_000,
    ],
    ["Mistral", { "ratelimitbysize-limit": "500000", "ratelimitbysize-remaining": "0", "ratelimitbysize-reset": "23" }, 23_000],
    ["Cerebras", { "x-ratelimit-remaining-requests-day": "0", "x-ratelimit-reset-requests-day": "33011.382867" }, 33_011_383],
    ["OpenRouter", { "x-ratelimit-limit": "50", "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW + 30_000) }, 30_000],
    ["seconds since 1970", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW / 1000 + 30) }, 30_000],
    ["the IETF's draft", { "ratelimit-limit": "100", "ratelimit-remaining": "0", "ratelimit-reset": "50" }, 50_000],
  ])("is read from the headers of %s", (_, headers, expected) => {
    expect(rateLimitPauseMs(headers as unknown as Record<string, string>, NOW)).toBe(expected);
  });

  it.each([
    ["while something is left", "1", "6m0s"],
    ["without a number of what is left", "", "6m0s"],
    ["with nonsense for what is left", "none", "6m0s"],
    ["with a time that has passed", "0", "2020-01-01T00:00:00Z"],
    ["with no time at all", "0", "0s"],
    ["with a negative time", "0", "-1"],
    ["with nonsense for a time", "0", "soon"],
    ["with a number in words", "0", "1e308"],
    ["with an empty time", "0", ""],
    ["with half a duration", "0", "6m0"],
  ])("is none %s", (_, remaining, reset) => {
    const headers = { "x-ratelimit-remaining-requests": remaining, "x-ratelimit-reset-requests": reset };
    expect(rateLimitPauseMs(headers, NOW)).toBeUndefined();
  });

  it.each(["999999999", "9999h", "99999999999999", "9999-12-31T00:00:00Z", `${"9".repeat(400)}s`])("is a day at most: %s", (reset) => {
    expect(rateLimitPauseMs({ "x-ratelimit-remaining-requests": "-5", "x-ratelimit-reset-requests": reset }, NOW)).toBe(DAY);
  });

  it("is none without headers, and without the time for what is used up", () => {
    expect(rateLimitPauseMs(undefined, NOW)).toBeUndefined();
    expect(rateLimitPauseMs({}, NOW)).toBeUndefined();
    expect(rateLimitPauseMs({ "x-ratelimit-remaining-req-minute": "0" }, NOW)).toBeUndefined();
  });
});
