import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createGroq } from "@ai-sdk/groq";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, type LanguageModelV4, type LanguageModelV4CallOptions, type LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { JsonSchema } from "@flow-run/spec";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SimulatorServer, startSimulatorServer } from "../index.ts";

const schema = {
  type: "object",
  properties: {
    category: { enum: ["billing", "bug", "other"] },
    score: { type: "number", minimum: 0, maximum: 1 },
    note: { type: ["string", "null"] },
    questions: { type: "array", items: { type: "string" }, minItems: 2 },
  },
  required: ["category", "score", "questions"],
  additionalProperties: false,
} satisfies JsonSchema;

/** A schema that is open, so that Anthropic's package asks for a tool call instead of its native structured output. */
const openSchema = {
  type: "object",
  properties: { total: { type: "integer" } },
  required: ["total"],
  additionalProperties: { type: "string" },
} satisfies JsonSchema;

let server: SimulatorServer;
beforeAll(async () => {
  server = await startSimulatorServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.setScript({});
  server.reset();
});

const vendors: [name: string, protocol: string, model: () => LanguageModelV4][] = [
  ["OpenAI responses", "openai-responses", () => createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "k" }).responses("gpt-5-mini")],
  ["OpenAI chat", "openai-chat", () => createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "k" }).chat("gpt-4.1-mini")],
  [
    "OpenAI compatible",
    "openai-chat",
    () =>
      createOpenAICompatible({ name: "local", baseURL: `${server.url}/v1`, includeUsage: true, supportsStructuredOutputs: true }).chatModel(
        "qwen3",
      ),
  ],
  ["Mistral", "mistral-chat", () => createMistral({ baseURL: `${server.url}/mistral/v1`, apiKey: "k" }).chat("mistral-small-latest")],
  ["Groq", "groq-chat", () => createGroq({ baseURL: `${server.url}/groq/openai/v1`, apiKey: "k" }).languageModel("openai/gpt-oss-20b")],
  ["Anthropic", "anthropic", () => createAnthropic({ baseURL: `${server.url}/v1`, apiKey: "k" }).languageModel("claude-sonnet-4-5")],
  ["Google", "google", () => createGoogleGenerativeAI({ baseURL: `${server.url}/v1beta`, apiKey: "k" }).languageModel("gemini-2.5-flash")],
];

function prompt(text: string, more: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions {
  return {
    prompt: [
      { role: "system", content: "You triage tickets." },
      { role: "user", content: [{ type: "text", text }] },
    ],
    ...more,
  };
}

const asJson = (wanted: object): Partial<LanguageModelV4CallOptions> => ({ responseFormat: { type: "json", schema: wanted } });

async function readAll(
  stream: ReadableStream<LanguageModelV4StreamPart>,
): Promise<{ text: string; pieces: number; parts: LanguageModelV4StreamPart[] }> {
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  const deltas = parts.filter((part) => part.type === "text-delta");
  return { text: deltas.map(({ delta }) => delta).join(""), pieces: deltas.length, parts };
}

async function textOf(model: LanguageModelV4, options: LanguageModelV4CallOptions): Promise<string> {
  const { content } = await model.doGenerate(options);
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

describe.each(vendors)("%s", (_, protocol, model) => {
  test("text comes whole, with usage, finish reason, id and model", async () => {
    const result = await model().doGenerate(prompt("I was charged twice", { maxOutputTokens: 100 }));
    expect(result.content).toEqual([expect.objectContaining({ type: "text", text: expect.stringContaining("I was charged twice") })]);
    expect(result.finishReason.unified).toBe("stop");
    expect(result.warnings).toEqual([]);
    const [logged] = server.requests();
    expect(logged).toMatchObject({
      protocol,
      model: model().modelId,
      status: 200,
      answeredInFull: true,
      lastUserText: "I was charged twice",
    });
    expect(result.usage.inputTokens).toMatchObject({ total: logged!.usage!.inputTokens, noCache: logged!.usage!.inputTokens });
    expect(result.usage.outputTokens.total).toBe(logged!.usage!.outputTokens);
  });

  test("the same text comes in pieces, with the same usage", async () => {
    const options = prompt("I was charged twice", { maxOutputTokens: 100 });
    const whole = await model().doGenerate(options);
    const { text, pieces, parts } = await readAll((await model().doStream(options)).stream);
    expect(whole.content).toEqual([expect.objectContaining({ text })]);
    expect(pieces).toBeGreaterThan(5);
    expect(parts.filter(({ type }) => type === "error")).toEqual([]);
    const finish = parts.find((part) => part.type === "finish")!;
    expect(finish.finishReason.unified).toBe("stop");
    expect(finish.usage.inputTokens.total).toBe(whole.usage.inputTokens.total);
    expect(finish.usage.outputTokens.total).toBe(whole.usage.outputTokens.total);
    expect(parts).toContainEqual(expect.objectContaining({ type: "response-metadata", id: expect.any(String) }));
  });

  test("a structured answer fits the schema, bounds included, whole and in pieces", async () => {
    const options = prompt("A billing matter", asJson(schema));
    const whole = await textOf(model(), options);
    const value = JSON.parse(whole);
    expect(Object.keys(value).sort()).toEqual(["category", "note", "questions", "score"]);
    expect(value).toMatchObject({ category: "billing", note: expect.any(String) });
    expect(value.score).toSatisfy((score: number) => score >= 0 && score <= 1);
    expect(value.questions.length).toBeGreaterThanOrEqual(2);
    const streamed = await readAll((await model().doStream(options)).stream);
    expect(JSON.parse(streamed.text)).toEqual(value);
    expect(streamed.parts.find((part) => part.type === "finish")!.finishReason.unified).toBe("stop");
  });

  test("a structured answer by rule comes through as written", async () => {
    server.setScript({ rules: [{ when: { contains: "refund", format: "json" }, answer: { category: "bug", score: 1, questions: [] } }] });
    const options = prompt("refund please", asJson(schema));
    expect(JSON.parse(await textOf(model(), options))).toEqual({ category: "bug", score: 1, questions: [] });
    expect(JSON.parse((await readAll((await model().doStream(options)).stream)).text)).toEqual({
      category: "bug",
      score: 1,
      questions: [],
    });
  });

  test("an answer to an open schema is an object with its properties", async () => {
    const options = prompt("How many?", asJson(openSchema));
    expect(JSON.parse(await textOf(model(), options))).toMatchObject({ total: expect.any(Number) });
    expect(JSON.parse((await readAll((await model().doStream(options)).stream)).text)).toMatchObject({ total: expect.any(Number) });
  });

  test("broken JSON of the model reaches the caller as text", async () => {
    server.setScript({ rules: [{ error: { malformedJson: true } }] });
    for (const wanted of [schema, openSchema]) {
      const options = prompt("refund please", asJson(wanted));
      const whole = await textOf(model(), options);
      expect(whole).not.toBe("");
      expect(() => JSON.parse(whole)).toThrow(SyntaxError);
      expect((await readAll((await model().doStream(options)).stream)).text).toBe(whole);
    }
  });

  test("cached, written and reasoning tokens arrive in their buckets, whole and in pieces", async () => {
    const usage = {
      inputTokens: 120,
      outputTokens: 30,
      cacheReadTokens: 100,
      cacheWriteTokens: protocol === "google" ? 0 : 40,
      reasoningTokens: 10,
    };
    server.setScript({ rules: [{ usage }] });
    const { stream } = await model().doStream(prompt("hello"));
    const streamed = (await readAll(stream)).parts.find((part) => part.type === "finish")!.usage;
    for (const reported of [(await model().doGenerate(prompt("hello"))).usage, streamed]) {
      expect(reported.inputTokens).toMatchObject({ total: 120 + 100 + usage.cacheWriteTokens, cacheRead: 100 });
      expect(reported.inputTokens.noCache! + (reported.inputTokens.cacheWrite ?? 0)).toBe(120 + usage.cacheWriteTokens);
      // Mistral's package leaves reasoning in the raw usage.
      if (protocol === "mistral-chat") expect(reported.raw).toMatchObject({ completion_tokens_details: { reasoning_tokens: 10 } });
      else expect(reported.outputTokens).toMatchObject({ total: 40, text: 30, reasoning: 10 });
      expect(reported.outputTokens.total).toBe(40);
    }
    expect(server.totals().usage).toEqual(Object.fromEntries(Object.entries(usage).map(([bucket, tokens]) => [bucket, 2 * tokens])));
  });

  test("an answer that was cut short or withheld says so", async () => {
    for (const [finishReason, expected] of [
      ["length", "length"],
      // Mistral has no word for it.
      ["content-filter", protocol === "mistral-chat" ? "other" : "content-filter"],
    ] as const) {
      server.setScript({ rules: [{ finishReason }] });
      expect((await model().doGenerate(prompt("hello"))).finishReason.unified).toBe(expected);
      const { parts } = await readAll((await model().doStream(prompt("hello"))).stream);
      expect(parts.find((part) => part.type === "finish")!.finishReason.unified).toBe(expected);
    }
  });

  test.each([
    [400, false],
    [401, false],
    [403, false],
    [404, false],
    [429, true],
    [500, true],
    [503, true],
    [529, true],
  ])("status %i is an error of the vendor's own shape", async (status, retryable) => {
    server.setScript({ rules: [{ error: { status, message: "The simulator says no.", retryAfter: "2s" } }] });
    for (const call of [() => model().doGenerate(prompt("hello")), () => model().doStream(prompt("hello"))]) {
      const error = await call().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(APICallError.isInstance(error)).toBe(true);
      const failure = error as APICallError;
      // The vendor's package found its message in the body: the shape is right.
      expect(failure.message).toBe("The simulator says no.");
      expect(failure.isRetryable).toBe(retryable);
      expect(failure.statusCode).toBe(status === 529 && protocol !== "anthropic" ? 503 : status);
      expect(failure.responseHeaders).toMatchObject({ "retry-after": "2" });
      expect(failure.data).toBeDefined();
    }
  });

  test("a stream that breaks off has no finish with a reason", async () => {
    server.setScript({ rules: [{ error: { cutAfter: 3 } }] });
    const { stream } = await model().doStream(prompt("hello"));
    const parts: LanguageModelV4StreamPart[] = [];
    const failure = await (async () => {
      for await (const part of stream) parts.push(part);
    })().then(
      () => null,
      (error: unknown) => error,
    );
    const failed =
      failure !== null ||
      parts.some((part) => part.type === "error") ||
      parts.some((part) => part.type === "finish" && part.finishReason.unified !== "stop");
    expect(failed).toBe(true);
    expect(parts.filter((part) => part.type === "text-delta" && part.delta !== "").length).toBeLessThanOrEqual(3);
    expect(server.requests()).toMatchObject([{ status: 200, answeredInFull: false }]);
  });

  test("a body that is not the vendor's protocol is noticed by its package", async () => {
    server.setScript({ rules: [{ error: { malformedBody: true } }] });
    await expect(model().doGenerate(prompt("hello"))).rejects.toThrow();
    const { parts } = await readAll((await model().doStream(prompt("hello"))).stream);
    expect(parts.some((part) => part.type === "error")).toBe(true);
  });

  test("a call that its caller gives up is logged as not answered", async () => {
    server.setScript({ rules: [{ error: { timeout: true } }] });
    await expect(model().doGenerate(prompt("hello", { abortSignal: AbortSignal.timeout(50) }))).rejects.toThrow();
    expect(server.requests()).toMatchObject([{ status: 0, usage: null, answeredInFull: false }]);
  });

  test("the attempt's header is in the log", async () => {
    await model().doGenerate(prompt("hello", { headers: { "x-flow-run-attempt": "att_1" } }));
    expect(server.requests()).toMatchObject([{ attempt: "att_1" }]);
  });
});

test("Anthropic's package asks natively for a closed schema and by tool for an open one, and both are understood", async () => {
  const bodies: string[] = [];
  const watching: typeof fetch = (input, init) => {
    bodies.push(String(init?.body));
    return fetch(input, init);
  };
  const claude = createAnthropic({ baseURL: `${server.url}/v1`, apiKey: "k", fetch: watching }).languageModel("claude-sonnet-4-5");
  await claude.doGenerate(prompt("hello", asJson(schema)));
  await claude.doGenerate(prompt("hello", asJson(openSchema)));
  expect(JSON.parse(bodies[0]!)).toHaveProperty("output_config.format.type", "json_schema");
  expect(JSON.parse(bodies[1]!)).toMatchObject({ tools: [{ name: "json" }], tool_choice: { type: "any" } });
});
