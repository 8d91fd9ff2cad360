import type { LanguageModelV4CallOptions, LanguageModelV4GenerateResult } from "@ai-sdk/provider";
import { describe, expect, it } from "vitest";
import type { HttpFetch } from "../http/http-fetch.ts";
import { LeanResponse } from "../http/lean-response.ts";
import { callDirectly } from "./direct-call.ts";
import { openAICompatible } from "./openai-compatible.ts";

const ANSWER = {
  id: "chatcmpl-1",
  created: 1,
  model: "m-2026",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};

const CALL: LanguageModelV4CallOptions = {
  prompt: [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "Hi" },
        { type: "file", mediaType: "image/png", data: { type: "data", data: "aGk=" } },
      ],
    },
    { role: "assistant", content: [{ type: "text", text: "Hm" }] },
    { role: "user", content: [{ type: "text", text: "Go on" }] },
  ],
  temperature: 0.5,
  maxOutputTokens: 12,
  stopSequences: ["."],
  seed: 7,
  responseFormat: { type: "json", schema: { type: "object", properties: { a: { type: "string" } } }, name: "output" },
  providerOptions: { openaiCompatible: { strictJsonSchema: false, repetition_penalty: 1.1 } },
  headers: { "x-flow-run-attempt": "a1" },
};

interface Sent {
  url: string;
  body: unknown;
  headers: { [name: string]: string };
}

function answering(text: string, status = 200): { fetch: HttpFetch; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch: HttpFetch = async (url, init = {}) => {
    sent.push({ url: String(url), body: JSON.parse(String(init.body)), headers: { ...(init.headers as Sent["headers"]) } });
    return new LeanResponse(status, { "content-type": "application/json" }, Buffer.from(text)) as unknown as Response;
  };
  return { fetch, sent };
}

async function both(text: string, status = 200) {
  const vendor = await openAICompatible({ baseUrl: "http://127.0.0.1:1/v1/", apiKey: "k", headers: { "X-Team": "t" } });
  const { fetch, sent } = answering(text, status);
  const outcome = (call: PromiseLike<LanguageModelV4GenerateResult>) =>
    Promise.resolve(call).then(
      ({ content, finishReason, usage, warnings, response }) => ({
        content,
        finishReason,
        usage,
        warnings,
        id: response?.id,
        body: response?.body,
      }),
      ({ name, message, statusCode }) => ({ name, message, statusCode }),
    );
  const library = await outcome(vendor.languageModel("m", fetch).doGenerate(CALL));
  const direct = await outcome(callDirectly(vendor.directModel!("m", fetch), fetch, CALL));
  return { library, direct, sent };
}

describe("a call without the library's own way of sending", () => {
  it("sends what the library would send, to the same address, with the same key", async () => {
    const { sent } = await both(JSON.stringify(ANSWER));
    expect(sent).toHaveLength(2);
    const [library, direct] = sent as [Sent, Sent];
    expect([direct.url, direct.body]).toEqual([library.url, library.body]);
    const lower = (headers: Sent["headers"]) =>
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const { "user-agent": _, ...expected } = lower(library.headers);
    expect(lower(direct.headers)).toMatchObject(expected);
  });

  it.each([
    ["a good answer", JSON.stringify(ANSWER)],
    ["an answer without a choice", JSON.stringify({ ...ANSWER, choices: [] })],
    ["an answer of another shape", JSON.stringify({ ...ANSWER, choices: "none" })],
    ["what is not JSON", '{"id":'],
    ["a key that would reach into prototypes", JSON.stringify(ANSWER).replace('"created"', '"__proto__"')],
    ["the same with escapes", JSON.stringify(ANSWER).replace('"created"', '"\\u005f_proto__"')],
  ])("makes of %s what the library makes of it, with one request", async (_, text) => {
    const { library, direct, sent } = await both(text);
    expect(direct).toEqual(library);
    expect(sent).toHaveLength(2);
  });

  it("fails with the library's own words for what the vendor refuses", async () => {
    const { library, direct } = await both(JSON.stringify({ error: { message: "too long", code: "context" } }), 400);
    expect(direct).toEqual(library);
    expect(direct).toMatchObject({ statusCode: 400, message: "too long" });
  });
});
