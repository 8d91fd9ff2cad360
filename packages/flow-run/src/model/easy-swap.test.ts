import type { Dispatcher } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordAttempts } from "./__fixtures__/ended-attempts.ts";
import { ImpatientClock } from "./__fixtures__/manual-clock.ts";
import {
  type CallModelOptions,
  callModel,
  createHttpAgent,
  createProviders,
  generateStructured,
  type Providers,
  type SimulatorServer,
  startSimulatorServer,
} from "./index.ts";

const TIMEOUT_MS = 20_000;
const SCHEMA = {
  type: "object",
  properties: { category: { type: "string", enum: ["billing", "bug"] }, urgent: { type: "boolean" } },
  required: ["category", "urgent"],
  additionalProperties: false,
};

describe("one request on every wire", () => {
  let simulator: SimulatorServer;
  let agent: Dispatcher;
  let providers: Providers;

  beforeAll(async () => {
    simulator = await startSimulatorServer({ script: { rules: [{ when: { contains: "translate" }, answer: "Guten Tag" }] } });
    agent = await createHttpAgent();
    const at = (type: string, path: string, more = {}) => ({ type, settings: { baseUrl: simulator.url + path, ...more } });
    providers = createProviders({
      providers: {
        responses: at("openai", "/v1"),
        chat: at("openai", "/v1", { api: "chat" }),
        claude: at("anthropic", "/v1"),
        gemini: at("google", "/v1beta"),
        local: at("openai-compatible", "/v1"),
        mistral: at("mistral", "/mistral/v1"),
        mistralPlain: at("mistral", "/v1"),
        groq: at("groq", "/groq/openai/v1", { structuredOutputs: true }),
        groqPlain: at("groq", "/v1", { structuredOutputs: true }),
        azure: at("azure", "/v1"),
        azureChat: at("azure", "/v1", { api: "chat" }),
        inside: { type: "simulator", settings: { rules: [{ when: { contains: "translate" }, answer: "Guten Tag" }] } },
      },
      secret: () => undefined,
      httpAgent: agent,
    });
  });
  afterAll(async () => {
    await providers.close();
    await agent.close();
    await simulator.close();
  });

  const call = (provider: string, text: string, more: Partial<CallModelOptions> = {}): CallModelOptions => ({
    targets: [{ provider, model: "any-model" }],
    providers: (name) => providers.get(name),
    request: {
      messages: [
        { role: "system", content: [{ text: "Be brief." }] },
        { role: "user", content: [{ text }] },
      ],
      config: { temperature: 0, maxOutputTokens: 200 },
    },
    timeoutMs: TIMEOUT_MS,
    retries: 0,
    signal: new AbortController().signal,
    clock: new ImpatientClock(TIMEOUT_MS),
    random: Math.random,
    hooks: recordAttempts().hooks,
    ...more,
  });
  const NAMES = [
    "responses",
    "chat",
    "claude",
    "gemini",
    "local",
    "mistral",
    "mistralPlain",
    "groq",
    "groqPlain",
    "azure",
    "azureChat",
    "inside",
  ];
  /** They look for the usage of a stream elsewhere than OpenAI sends it, and OpenAI sends it to those who ask for it only. */
  const WITHOUT_STREAMED_USAGE = ["mistralPlain", "groqPlain"];

  describe.each(NAMES)("%s", (name) => {
    it("answers with text, whole", async () => {
      const answer = await callModel(call(name, "Please translate: good day"));
      expect(answer).toMatchObject({ text: "Guten Tag", finishReason: "stop", provider: name });
      expect(answer.usage!.inputTokens).toBeGreaterThan(0);
    });

    it("answers with text, streamed, and costs the same", async () => {
      const pieces: string[] = [];
      const whole = await callModel(call(name, "Please translate: good day"));
      const answer = await callModel(call(name, "Please translate: good day", { onText: (piece) => pieces.push(piece) }));
      expect(answer).toMatchObject({ text: "Guten Tag", finishReason: "stop" });
      expect(answer.usage).toEqual(WITHOUT_STREAMED_USAGE.includes(name) ? null : whole.usage);
      expect(pieces.join("")).toBe("Guten Tag");
      expect(answer.timeToFirstTokenMs).toBeGreaterThanOrEqual(0);
    });

    it.each([false, true])("answers with an object that fits the schema (streamed: %s)", async (streamed) => {
      const base = call(name, "Triage: I was charged twice", streamed ? { onText: () => {} } : {});
      const { value } = await generateStructured({
        ...base,
        request: { ...base.request, output: { schema: SCHEMA } },
        validate: (given) => ({ value: given, errors: [] }),
      });
      expect(value).toEqual({ category: expect.stringMatching(/^(billing|bug)$/), urgent: expect.any(Boolean) });
    });
  });

  it("names each attempt to the simulator", async () => {
    simulator.reset();
    const record = recordAttempts();
    await callModel(call("claude", "hello", { hooks: record.hooks }));
    expect(simulator.requests()).toMatchObject([{ attempt: "attempt-1" }]);
  });
});
