import type { SimulatorScript } from "@flow-run/spec";
import type { Dispatcher } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHttpAgent } from "../http/http-agent.ts";
import type { ModelCallOptions, ModelProvider, ModelRequest } from "../model.ts";
import { ModelCallError } from "../model-call-error.ts";
import { createProviders } from "../providers/create-providers.ts";
import { createSimulatorProvider, type SimulatorServer, startSimulatorServer } from "./index.ts";

const hello: ModelRequest = { messages: [{ role: "user", content: [{ text: "I was charged twice" }] }], config: {} };
const structured: ModelRequest = {
  ...hello,
  output: {
    schema: {
      type: "object",
      properties: { score: { type: "integer", minimum: 1, maximum: 3 } },
      required: ["score"],
      additionalProperties: false,
    },
  },
};

function options(more: Partial<ModelCallOptions> = {}): ModelCallOptions {
  return { signal: new AbortController().signal, ...more };
}

async function failure(call: Promise<unknown>): Promise<ModelCallError> {
  const thrown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (!ModelCallError.is(thrown)) throw new Error(`not a ModelCallError but ${String(thrown)}`);
  return thrown;
}

describe("in process", () => {
  test("answers whole and without a time to first token", async () => {
    const answer = await createSimulatorProvider().call("gpt-x", hello, options());
    expect(answer).toEqual({
      text: expect.stringContaining("I was charged twice"),
      finishReason: "stop",
      usage: { inputTokens: 9, outputTokens: expect.any(Number), cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
      rawUsage: answer.usage,
      responseModel: "gpt-x",
      responseId: expect.stringMatching(/^sim-/),
      timeToFirstTokenMs: null,
    });
  });

  test("hands the same text over in pieces when it is streamed", async () => {
    const provider = createSimulatorProvider();
    const pieces: string[] = [];
    const streamed = await provider.call("gpt-x", hello, options({ onText: (piece) => pieces.push(piece) }));
    expect(pieces.length).toBeGreaterThan(5);
    expect(pieces.join("")).toBe(streamed.text);
    expect(streamed.timeToFirstTokenMs).toBeGreaterThanOrEqual(0);
    expect((await provider.call("gpt-x", hello, options())).text).toBe(streamed.text);
  });

  test("takes as long as the script says", async () => {
    const provider = createSimulatorProvider({
      latency: { min: "40ms", firstToken: "20ms", perToken: "5ms" },
      rules: [{ answer: "one two three" }],
    });
    for (const onText of [undefined, () => {}]) {
      const started = performance.now();
      const { timeToFirstTokenMs } = await provider.call("m", hello, options(onText ? { onText } : {}));
      expect(performance.now() - started).toBeGreaterThanOrEqual(68);
      if (onText) expect(timeToFirstTokenMs).toBeGreaterThanOrEqual(58);
    }
  });

  test("stops at once when it is aborted, before, while waiting and in silence", async () => {
    expect(await failure(createSimulatorProvider().call("m", hello, { signal: AbortSignal.abort() }))).toMatchObject({ code: "aborted" });
    for (const script of [
      { latency: "1h" },
      { rules: [{ error: { timeout: true as const } }] },
      { rules: [{ error: { endless: true as const } }] },
    ]) {
      const controller = new AbortController();
      const call = createSimulatorProvider(script).call("m", hello, { signal: controller.signal });
      setImmediate(() => controller.abort(new ModelCallError("provider-timeout", "too slow")));
      expect(await failure(call)).toMatchObject({ code: "provider-timeout", message: "too slow" });
    }
  });

  test("text that no store can hold is mended as a vendor's would be", async () => {
    const provider = createSimulatorProvider({ rules: [{ answer: "nul \u0000, half \ud800" }] });
    expect((await provider.call("m", hello, options())).text).toBe("nul \ufffd, half \ufffd");
  });
});

describe("in process as over HTTP", () => {
  let server: SimulatorServer;
  let httpAgent: Dispatcher;
  beforeAll(async () => {
    server = await startSimulatorServer();
    httpAgent = await createHttpAgent();
  });
  afterAll(async () => {
    await httpAgent.destroy();
    await server.close();
  });

  function overHttp(script: SimulatorScript): [name: string, provider: ModelProvider, model: string][] {
    server.setScript(script);
    const providers = createProviders({
      httpAgent,
      secret: () => undefined,
      providers: {
        openai: { type: "openai", settings: { baseUrl: `${server.url}/v1`, apiKey: "k" } },
        claude: { type: "anthropic", settings: { baseUrl: `${server.url}/v1`, apiKey: "k" } },
        google: { type: "google", settings: { baseUrl: `${server.url}/v1beta`, apiKey: "k" } },
        local: { type: "openai-compatible", settings: { baseUrl: `${server.url}/v1` } },
      },
    });
    return [
      ["openai", providers.get("openai"), "gpt-5-mini"],
      ["claude", providers.get("claude"), "claude-sonnet-4-5"],
      ["google", providers.get("google"), "gemini-2.5-flash"],
      ["local", providers.get("local"), "qwen3"],
    ];
  }

  test.each<[string, NonNullable<NonNullable<SimulatorScript["rules"]>[number]["error"]>]>([
    ["429", { status: 429, retryAfter: "2s" }],
    ["401", { status: 401 }],
    ["403", { status: 403 }],
    ["400", { status: 400 }],
    ["404", { status: 404 }],
    ["408", { status: 408 }],
    ["500", { status: 500 }],
    ["529", { status: 529 }],
    ["a connection cut before the answer", { cutAfter: 0 }],
    ["a connection cut in the answer", { cutAfter: 3 }],
    ["a body that is not JSON", { malformedBody: true }],
    ["a body of another kind", { body: "null" }],
    ["a stream that falls silent", { stallAfter: 3 }],
  ])("%s is the same error", async (_, error) => {
    const script = { rules: [{ error }] };
    for (const onText of [undefined, () => {}]) {
      // Without a stream there is no silence to notice: only the attempt's own timeout ends it.
      if (error.stallAfter !== undefined && !onText) continue;
      const call = options({ idleTimeoutMs: 50, ...(onText ? { onText } : {}) });
      const { code, retryable, fallsBack, retryAfterMs } = await failure(createSimulatorProvider(script).call("m", hello, call));
      for (const [name, provider, model] of overHttp(script)) {
        const thrown = await failure(provider.call(model, hello, call));
        expect({
          name,
          code: thrown.code,
          retryable: thrown.retryable,
          fallsBack: thrown.fallsBack,
          retryAfterMs: thrown.retryAfterMs,
        }).toEqual({
          name,
          code,
          retryable,
          fallsBack,
          retryAfterMs,
        });
      }
    }
  });

  test("text, structure, usage and finish reason are the same", async () => {
    const usage = { inputTokens: 120, outputTokens: 30, cacheReadTokens: 100, cacheWriteTokens: 0, reasoningTokens: 10 };
    for (const finishReason of ["stop", "length"] as const) {
      const script = {
        rules: [
          { when: { format: "json" as const }, usage, finishReason },
          { answer: "Hello there, friend.", usage, finishReason },
        ],
      };
      for (const onText of [undefined, () => {}]) {
        const local = await createSimulatorProvider(script).call("m", hello, options(onText ? { onText } : {}));
        for (const [name, provider, model] of overHttp(script)) {
          const answer = await provider.call(model, hello, options(onText ? { onText } : {}));
          const { text, responseModel } = answer;
          expect({ name, text, usage: answer.usage, finishReason: answer.finishReason, responseModel }).toEqual({
            name,
            text: local.text,
            usage: local.usage,
            finishReason: local.finishReason,
            responseModel: model,
          });
          const { score } = JSON.parse((await provider.call(model, structured, options(onText ? { onText } : {}))).text) as {
            score: number;
          };
          expect([1, 2, 3]).toContain(score);
        }
      }
    }
  });

  test("an answer withheld for its content is the same error", async () => {
    const script = { rules: [{ finishReason: "content-filter" as const }] };
    const { code } = await failure(createSimulatorProvider(script).call("m", hello, options()));
    for (const [, provider, model] of overHttp(script)) expect((await failure(provider.call(model, hello, options()))).code).toBe(code);
  });
});
