import { readFileSync } from "node:fs";
import type { Json } from "@flow-run/spec";
import type { Dispatcher } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, answerWith, type FakeServer, startFakeServer } from "../__fixtures__/fake-server.ts";
import { createHttpAgent } from "../http/http-agent.ts";
import type { ModelAnswer } from "../model.ts";
import type { ModelCallError } from "../model-call-error.ts";
import { createProviders } from "./create-providers.ts";

const KEY = "test-key-CANARY";

let server: FakeServer;
let agent: Dispatcher;

beforeAll(async () => {
  server = await startFakeServer();
  agent = await createHttpAgent();
});
afterAll(async () => {
  await agent.destroy();
  await server.close();
});

const fixture = (file: string) => readFileSync(new URL(`./__fixtures__/${file}`, import.meta.url), "utf8");
const json = (status: number, file: string): Answer => answerWith(status, "application/json", fixture(file));

async function ask(
  type: string,
  settings: { [name: string]: Json },
  answer: Answer,
  prompt = "hello",
  onText?: (text: string) => void,
): Promise<ModelAnswer> {
  server.answers(answer);
  const providers = createProviders({
    providers: { it: { type, settings: { baseUrl: `${server.origin}/v1`, apiKey: "${{ secrets.KEY }}", ...settings } } },
    secret: () => `${KEY}\n`,
    httpAgent: agent,
  });
  const request = { messages: [{ role: "user" as const, content: [{ text: prompt }] }], config: {} };
  return providers.get("it").call("m", request, { signal: new AbortController().signal, ...(onText ? { onText } : {}) });
}

const failure = (...given: Parameters<typeof ask>): Promise<ModelCallError> =>
  ask(...given).then(
    () => {
      throw new Error("it did not fail");
    },
    (error: ModelCallError) => error,
  );
const CHAT = ["openai", { api: "chat" }] as const;

describe("what headers say of the rate limit", () => {
  const usedUp = { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s" };
  const anthropic = {
    date: "Sun, 22 Nov 2026 12:00:00 GMT",
    "anthropic-ratelimit-tokens-remaining": "0",
    "anthropic-ratelimit-tokens-reset": "2026-11-22T12:01:30Z",
  };

  it.each([
    ["openai", { api: "chat" }, "application/json", "openai-chat/text.json", usedUp],
    ["openai", { api: "chat" }, "text/event-stream", "openai-chat/text.sse", usedUp],
    ["openai-compatible", {}, "application/json", "openai-chat/text.json", usedUp],
    ["groq", {}, "application/json", "openai-chat/text.json", usedUp],
    ["anthropic", {}, "application/json", "anthropic/text.json", anthropic],
    ["anthropic", {}, "text/event-stream", "anthropic/text.sse", anthropic],
  ])("comes with a good answer: %s %j %s", async (type, settings, contentType, file, headers) => {
    const streamed = contentType.includes("event-stream") ? [() => {}] : [];
    const answer = await ask(type, settings, answerWith(200, contentType, fixture(file), headers), "hello", ...streamed);
    expect(answer.pauseMs).toBe(90_000);
  });

  it("is nothing while there is something left", async () => {
    const left = { ...usedUp, "x-ratelimit-remaining-requests": "3" };
    expect(await ask(...CHAT, answerWith(200, "application/json", fixture("openai-chat/text.json"), left))).not.toHaveProperty("pauseMs");
  });

  it.each([
    ["what is used up, where it says nothing of a retry", usedUp, 90_000],
    ["the retry, where it says both", { ...usedUp, "retry-after-ms": "1500" }, 1_500],
  ])("tells when a refusal is over: %s", async (_, headers, expected) => {
    const refused = answerWith(429, "application/json", fixture("openai-chat/error-429.json"), headers);
    expect(await failure(...CHAT, refused)).toMatchObject({ code: "rate-limited", retryAfterMs: expected });
  });
});

describe("a failed call", () => {
  it("keeps the bill of an answer that does not count", async () => {
    expect(await failure(...CHAT, json(200, "openai-chat/filtered.json"))).toMatchObject({
      code: "content-filtered",
      usage: { inputTokens: 120, outputTokens: 30 },
      rawUsage: { prompt_tokens: 120 },
    });
    const stream = fixture("openai-chat/text.sse").replace('"finish_reason":"stop"', '"finish_reason":null');
    expect(await failure(...CHAT, answerWith(200, "text/event-stream", stream), "hello", () => {})).toMatchObject({
      code: "stream-interrupted",
      usage: { inputTokens: 120, outputTokens: 30 },
    });
  });

  it("tells a used-up account from a rate limit: waiting does not fill it", async () => {
    expect(await failure(...CHAT, json(429, "openai-chat/error-quota.json"))).toMatchObject({
      code: "rate-limited",
      retryable: false,
      fallsBack: true,
    });
  });

  it("knows a prompt that was refused for its content by what the vendor says", async () => {
    expect(await failure(...CHAT, json(400, "openai-chat/error-filtered.json"))).toMatchObject({
      code: "content-filtered",
      fallsBack: false,
    });
  });

  it("knows a stream whose first event is an error", async () => {
    expect(
      await failure("anthropic", {}, answerWith(200, "text/event-stream", fixture("anthropic/error-first.sse")), "hello", () => {}),
    ).toMatchObject({
      code: "provider-error",
      retryable: true,
    });
  });

  it.each([
    [402, "provider-rejected", false, true],
    [403, "unauthorized", false, true],
    [408, "provider-timeout", true, true],
    [409, "provider-error", true, true],
    [413, "provider-rejected", false, false],
    [422, "provider-rejected", false, false],
    [502, "provider-error", true, true],
  ])("with status %i is %s (retryable: %s, falls back: %s)", async (status, code, retryable, fallsBack) => {
    expect(await failure(...CHAT, answerWith(status, "text/plain", "whatever"))).toMatchObject({
      code,
      retryable,
      fallsBack,
      statusCode: status,
    });
  });

  it("says what the vendor said, without the prompt and the key", async () => {
    const said = {
      error: {
        message: `Invalid value in 'CANARY: my secret diary' for key ${KEY}: too long`,
        type: "invalid_request_error",
        code: null,
        param: null,
      },
    };
    const error = await failure(...CHAT, answerWith(400, "application/json", JSON.stringify(said)), "CANARY: my secret diary");
    expect(error.message).toBe(`Provider "it" rejected the request (400): Invalid value in '…' for key …: too long`);
    expect(error.cause).toBeUndefined();
  });

  it("is an error of ours also when the answer has quite another shape", async () => {
    for (const body of ["null", "[]", "7", '{"choices":"none"}', '{"choices":[null]}', '{"choices":[{"message":null}]}']) {
      expect(await failure(...CHAT, answerWith(200, "application/json", body))).toMatchObject({
        name: "ModelCallError",
        code: "bad-answer",
      });
    }
  });
});

describe("an answer", () => {
  it("counts reasoning beside the output where the server does", async () => {
    expect((await ask("openai-compatible", {}, json(200, "openai-compatible/reasoning-apart.json"))).usage).toMatchObject({
      outputTokens: 30,
      reasoningTokens: 100,
    });
  });

  it("names the model that really answered", async () => {
    const models = async (type: string, settings: { [name: string]: Json }, folder: string) => [
      (await ask(type, settings, json(200, `${folder}/text.json`))).responseModel,
      (await ask(type, settings, answerWith(200, "text/event-stream", fixture(`${folder}/text.sse`)), "hello", () => {})).responseModel,
    ];
    expect(await models("openai", {}, "openai-responses")).toEqual(["gpt-5-mini-2025-08-07", "gpt-5-mini-2025-08-07"]);
    expect(await models("anthropic", {}, "anthropic")).toEqual(["claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"]);
    expect(await models("google", {}, "google")).toEqual(["gemini-2.5-flash", "gemini-2.5-flash"]);
  });

  it("takes the last of the usages that a stream reports, once", async () => {
    const usage = (prompt: number, completion: number) =>
      `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":${prompt},"completion_tokens":${completion},"total_tokens":${prompt + completion}}}\n\n`;
    const stream = usage(5, 1) + fixture("openai-chat/text.sse").replace("data: [DONE]\n\n", `${usage(120, 40)}data: [DONE]\n\n`);
    expect((await ask(...CHAT, answerWith(200, "text/event-stream", stream), "hello", () => {})).usage).toMatchObject({
      inputTokens: 120,
      outputTokens: 40,
    });
  });
});
