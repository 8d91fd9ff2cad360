import { readFileSync } from "node:fs";
import type { Json } from "@flow-run/spec";
import type { Dispatcher } from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { answerWith, type FakeServer, startFakeServer } from "../__fixtures__/fake-server.ts";
import { createHttpAgent } from "../http/http-agent.ts";
import type { ModelAnswer, ModelCallOptions, ModelRequest } from "../model.ts";
import { createProviders, type ProviderDefinitionInput } from "./create-providers.ts";

const ANSWERS: { [type: string]: string } = {
  openai: "openai-responses",
  "openai-chat": "openai-chat",
  anthropic: "anthropic",
  google: "google",
  "openai-compatible": "openai-compatible",
  mistral: "mistral",
  groq: "groq",
  azure: "azure-responses",
  "amazon-bedrock": "amazon-bedrock",
};
/** Models of each vendor that take a schema. */
const MODELS: { [type: string]: string } = {
  anthropic: "claude-haiku-4-5",
  groq: "openai/gpt-oss-120b",
  "amazon-bedrock": "anthropic.claude-haiku-4-5-20251001-v1:0",
};
const TYPES = Object.keys(ANSWERS);
const CLOSED = {
  type: "object",
  properties: { category: { type: "string" }, urgent: { type: "boolean" } },
  required: ["category", "urgent"],
  additionalProperties: false,
};
const OPEN = { ...CLOSED, required: ["category"] };

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
beforeEach(() => {
  server.requests.length = 0;
});

function create(providers: { [name: string]: ProviderDefinitionInput }, secrets: { [name: string]: string } = {}, httpAgent = agent) {
  return createProviders({ providers, secret: (name) => secrets[name], httpAgent });
}

/** `apiKey: null` leaves the key out. */
function definition(type: string, more: { [name: string]: Json } = {}): ProviderDefinitionInput {
  const chat = type === "openai-chat";
  const { apiKey, ...settings } = { apiKey: "k", ...more };
  return {
    type: chat ? "openai" : type,
    settings: {
      baseUrl: `${server.origin}/v1`,
      ...(apiKey === null ? {} : { apiKey }),
      ...(chat ? { api: "chat" } : {}),
      region: "us-east-1",
      ...settings,
    },
  };
}

/** Sends a request to a vendor's wire and returns what arrived there. */
async function send(
  type: string,
  request: Partial<ModelRequest>,
  {
    settings = {},
    options = {},
    model = "some-model",
  }: { settings?: { [name: string]: Json }; options?: Partial<ModelCallOptions>; model?: string } = {},
): Promise<{ body: { [field: string]: Json }; path: string; headers: { [name: string]: unknown }; answer: ModelAnswer }> {
  const file = new URL(`./__fixtures__/${ANSWERS[type]}/structured.json`, import.meta.url);
  server.answers(answerWith(200, "application/json", readFileSync(file)));
  const answer = await create({ it: definition(type, settings) })
    .get("it")
    .call(
      model,
      { messages: [{ role: "user", content: [{ text: "hello" }] }], config: {}, ...request },
      { signal: new AbortController().signal, ...options },
    );
  const { body, path, headers } = server.requests.at(-1)!;
  return { body: body as { [field: string]: Json }, path, headers, answer };
}

describe("what is sent", () => {
  it("goes to the vendor's own paths, with its own way to show the key", async () => {
    const sent = Object.fromEntries(
      await Promise.all(TYPES.map(async (type) => [type, await sequentially(() => send(type, {}, { model: "m-1" }))])),
    );
    expect(Object.fromEntries(TYPES.map((type) => [type, sent[type].path]))).toEqual({
      openai: "/v1/responses",
      "openai-chat": "/v1/chat/completions",
      anthropic: "/v1/messages",
      google: "/v1/models/m-1:generateContent",
      "openai-compatible": "/v1/chat/completions",
      mistral: "/v1/chat/completions",
      groq: "/v1/chat/completions",
      azure: "/v1/responses",
      "amazon-bedrock": "/v1/model/m-1/converse",
    });
    for (const type of ["openai", "openai-compatible", "mistral", "groq", "amazon-bedrock"])
      expect(sent[type].headers.authorization).toBe("Bearer k");
    expect(sent.azure.headers["api-key"]).toBe("k");
    expect(sent.anthropic.headers["x-api-key"]).toBe("k");
    expect(sent.google.headers["x-goog-api-key"]).toBe("k");
  });

  it.each(TYPES)("carries the conversation in the vendor's shape (%s)", async (type) => {
    const { body } = await send(type, {
      messages: [
        { role: "system", content: [{ text: "Be brief." }] },
        { role: "user", content: [{ text: "Hi" }] },
        { role: "model", content: [{ text: "Hello" }] },
        { role: "user", content: [{ text: "Look: " }, { media: { url: "data:image/png;base64,iVBORw0KGgo=" } }] },
      ],
    });
    const text = JSON.stringify(body);
    const places = ["Be brief.", "Hi", "Hello", "Look: ", "iVBORw0KGgo="].map((piece) => text.indexOf(piece));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(text).toContain(type === "google" ? '"role":"model"' : '"role":"assistant"');
  });

  it.each(["anthropic", "google", "amazon-bedrock"])(
    "lets a late system message speak as the user where the vendor refuses it (%s)",
    async (type) => {
      const { body } = await send(type, {
        messages: [
          { role: "system", content: [{ text: "first" }] },
          { role: "user", content: [{ text: "hi" }] },
          { role: "system", content: [{ text: "late" }] },
        ],
      });
      expect(JSON.stringify(type === "google" ? body.systemInstruction : body.system)).toContain("first");
      expect(JSON.stringify(type === "google" ? body.contents : body.messages)).toContain("late");
    },
  );

  it.each([
    ["openai", (body: Json) => pick(body, "temperature", "top_p", "max_output_tokens")],
    ["openai-chat", (body: Json) => pick(body, "temperature", "top_p", "max_tokens")],
    ["anthropic", (body: Json) => pick(body, "temperature", "top_p", "max_tokens")],
    ["google", (body: Json) => pick((body as { generationConfig: Json }).generationConfig, "temperature", "topP", "maxOutputTokens")],
    ["openai-compatible", (body: Json) => pick(body, "temperature", "top_p", "max_tokens")],
    ["mistral", (body: Json) => pick(body, "temperature", "top_p", "max_tokens")],
    ["groq", (body: Json) => pick(body, "temperature", "top_p", "max_tokens")],
    ["azure", (body: Json) => pick(body, "temperature", "top_p", "max_output_tokens")],
    ["amazon-bedrock", (body: Json) => pick((body as { inferenceConfig: Json }).inferenceConfig, "temperature", "topP", "maxTokens")],
  ] as const)("carries the settings that all vendors know (%s)", async (type, read) => {
    const config: { [name: string]: Json } =
      type === "anthropic" ? { temperature: 0.5, maxOutputTokens: 99 } : { temperature: 0.5, topP: 0.9, maxOutputTokens: 99 };
    const { body } = await send(type, { config });
    expect(read(body)).toEqual(type === "anthropic" ? [0.5, 99] : [0.5, 0.9, 99]);
  });

  it.each(TYPES)("carries a setting that only the vendor knows as it is (%s)", async (type) => {
    const { body } = await send(type, { config: { brand_new_setting: { level: 3 } } });
    expect(body.brand_new_setting).toEqual({ level: 3 });
  });

  it("turns the vendor's own options into its fields", async () => {
    expect((await send("openai", { config: { serviceTier: "flex", promptCacheKey: "p" } }, { model: "gpt-5-mini" })).body).toMatchObject({
      service_tier: "flex",
      prompt_cache_key: "p",
    });
    expect(
      (await send("anthropic", { config: { thinking: { type: "enabled", budgetTokens: 2_000 } } }, { model: "claude-sonnet-4-5" })).body
        .thinking,
    ).toMatchObject({ budget_tokens: 2_000 });
    expect((await send("google", { config: { thinkingConfig: { thinkingBudget: 0 } } })).body.generationConfig).toMatchObject({
      thinkingConfig: { thinkingBudget: 0 },
    });
    expect((await send("openai-compatible", { config: { reasoningEffort: "low" } })).body.reasoning_effort).toBe("low");
  });

  it("names settings that the model does not take", async () => {
    const { answer } = await send("openai", { config: { stopSequences: ["END"] } });
    expect(answer.warnings).toEqual([expect.stringContaining("stopSequences")]);
  });

  it.each([
    ["temperature", "hot"],
    ["stopSequences", "END"],
    ["maxOutputTokens", true],
  ])("refuses a %s of the wrong type before anything is sent", async (name, value) => {
    await expect(send("openai", { config: { [name]: value } })).rejects.toMatchObject({
      code: "provider-rejected",
      message: expect.stringContaining(name),
    });
    expect(server.requests).toEqual([]);
  });

  it("keeps answers out of OpenAI's store unless told otherwise", async () => {
    expect((await send("openai", {})).body.store).toBe(false);
    expect((await send("openai", { config: { store: true } })).body.store).toBe(true);
  });

  it("takes organization, project and headers from the settings", async () => {
    const { headers } = await send(
      "openai",
      {},
      { settings: { organization: "org-1", project: "proj-1", headers: { "x-team": "support" } } },
    );
    expect(headers).toMatchObject({ "openai-organization": "org-1", "openai-project": "proj-1", "x-team": "support" });
  });

  it("names the attempt to servers of one's own, and to no vendor", async () => {
    const options = { attemptId: "attempt-7" };
    expect((await send("openai", {}, { options })).headers["x-flow-run-attempt"]).toBe("attempt-7");
    const { MockAgent } = await import("undici");
    const vendor = new MockAgent();
    vendor.disableNetConnect();
    let seen: { [name: string]: string } = {};
    const body = readFileSync(new URL("./__fixtures__/openai-responses/text.json", import.meta.url), "utf8");
    vendor
      .get("https://api.openai.com")
      .intercept({ path: "/v1/responses", method: "POST" })
      .reply(
        200,
        (request) => {
          seen = request.headers as { [name: string]: string };
          return body;
        },
        { headers: { "content-type": "application/json" } },
      );
    await create({ it: { type: "openai", settings: { apiKey: "k" } } }, {}, vendor)
      .get("it")
      .call(
        "gpt-5-mini",
        { messages: [{ role: "user", content: [{ text: "hello" }] }], config: {} },
        { signal: new AbortController().signal, ...options },
      );
    expect(seen).toMatchObject({ authorization: "Bearer k" });
    expect(seen).not.toHaveProperty("x-flow-run-attempt");
    await vendor.close();
  });
});

describe("asking for JSON", () => {
  const schemaIn = (type: string, body: { [field: string]: Json }): Json | undefined => {
    switch (type) {
      case "openai":
      case "azure":
        return dig(body, "text", "format", "schema");
      case "anthropic":
        return dig(body, "output_config", "format", "schema") ?? dig(body, "tools", "0", "input_schema");
      case "google":
        return dig(body, "generationConfig", "responseJsonSchema");
      case "amazon-bedrock":
        return dig(body, "toolConfig", "tools", "0", "toolSpec", "inputSchema", "json");
      default:
        return dig(body, "response_format", "json_schema", "schema");
    }
  };

  it.each(TYPES)("sends the schema in the vendor's place, without the names it has elsewhere (%s)", async (type) => {
    const { body } = await send(
      type,
      { output: { schema: { ...OPEN, $id: "urn:x", $schema: "https://json-schema.org/draft/2020-12/schema" } } },
      { model: MODELS[type] ?? "m" },
    );
    expect(schemaIn(type, body)).toMatchObject({ type: "object", properties: CLOSED.properties, required: ["category"] });
    expect(JSON.stringify(body)).not.toContain("$schema");
    expect(JSON.stringify(body)).not.toContain("urn:x");
  });

  it.each(["openai", "openai-chat", "openai-compatible"])("asks for strict obedience only when the schema allows it (%s)", async (type) => {
    const strict = async (schema: typeof CLOSED) => {
      const { body } = await send(type, { output: { schema } });
      return dig(body, "text", "format", "strict") ?? dig(body, "response_format", "json_schema", "strict");
    };
    expect(await strict(CLOSED)).toBe(true);
    expect(await strict(OPEN)).toBe(false);
  });

  it.each(TYPES)("writes into the prompt what cannot be sent as a schema (%s)", async (type) => {
    const list = await send(type, { output: { schema: { type: "array", items: { type: "string" } } } });
    expect(schemaIn(type, list.body)).toBeUndefined();
    expect(JSON.stringify(list.body)).toContain('\\"type\\":\\"array\\"');
    for (const output of [{}, { schema: true }, { schema: {} }]) {
      expect(JSON.stringify((await send(type, { output })).body)).toContain("JSON");
    }
  });

  it("writes the schema into the prompt for servers without structured outputs", async () => {
    const { body } = await send("openai-compatible", { output: { schema: CLOSED } }, { settings: { structuredOutputs: false } });
    expect(body.response_format).toEqual({ type: "json_object" });
    expect(JSON.stringify(body.messages)).toContain("additionalProperties");
  });

  it("reads the answer out of the tool that Anthropic's older models are made to use", async () => {
    server.answers(
      answerWith(200, "application/json", readFileSync(new URL("./__fixtures__/anthropic/structured-tool.json", import.meta.url))),
    );
    const answer = await create({ it: definition("anthropic") })
      .get("it")
      .call(
        "claude-3-haiku-20240307",
        { messages: [{ role: "user", content: [{ text: "hello" }] }], config: {}, output: { schema: CLOSED } },
        { signal: new AbortController().signal },
      );
    expect(answer).toMatchObject({ text: '{"category":"billing","urgent":true}', finishReason: "stop" });
  });
});

describe("providers by name", () => {
  const SAVED = { ...process.env };
  afterEach(() => {
    process.env = { ...SAVED };
  });

  it("are made once, at the first call", () => {
    const providers = create({ it: definition("openai") });
    expect(providers.get("it")).toBe(providers.get("it"));
    expect(providers.typeOf("it")).toBe("openai");
    expect(providers.baseUrlOf("it")).toBe(`${server.origin}/v1`);
  });

  it("name the secret that is missing, and say how to set it", () => {
    const providers = create({ claude: { type: "anthropic", settings: { apiKey: "${{ secrets.ANTHROPIC_API_KEY }}" } } });
    expect(() => providers.get("claude")).toThrow(
      expect.objectContaining({
        code: "missing-secret",
        retryable: false,
        details: { provider: "claude", secret: "ANTHROPIC_API_KEY" },
        message: expect.stringMatching(/claude.*ANTHROPIC_API_KEY/),
      }),
    );
  });

  it("fill secrets in wherever the settings name them", async () => {
    server.answers(
      answerWith(200, "application/json", readFileSync(new URL("./__fixtures__/openai-compatible/text.json", import.meta.url))),
    );
    const settings = {
      baseUrl: `${server.origin}/\${{ secrets.TENANT }}/v1`,
      apiKey: "${{secrets.KEY}}",
      headers: { "x-both": "${{ secrets.KEY }}-${{ secrets.TENANT }}" },
    };
    await create({ it: { type: "openai-compatible", settings } }, { KEY: "k1", TENANT: "t1" })
      .get("it")
      .call("m", { messages: [{ role: "user", content: [{ text: "hi" }] }], config: {} }, { signal: new AbortController().signal });
    expect(server.requests[0]).toMatchObject({
      path: "/t1/v1/chat/completions",
      headers: { authorization: "Bearer k1", "x-both": "k1-t1" },
    });
  });

  it("never look into the environment by themselves", async () => {
    Object.assign(process.env, {
      OPENAI_API_KEY: "from-env",
      OPENAI_BASE_URL: "http://127.0.0.1:1/env",
      ANTHROPIC_API_KEY: "from-env",
      ANTHROPIC_AUTH_TOKEN: "from-env",
      GOOGLE_GENERATIVE_AI_API_KEY: "from-env",
      MISTRAL_API_KEY: "from-env",
      GROQ_API_KEY: "from-env",
      AZURE_API_KEY: "from-env",
      AZURE_RESOURCE_NAME: "from-env",
      AWS_REGION: "from-env",
      AWS_ACCESS_KEY_ID: "from-env",
      AWS_SECRET_ACCESS_KEY: "from-env",
      AWS_SESSION_TOKEN: "from-env",
      AWS_BEARER_TOKEN_BEDROCK: "from-env",
      AWS_ENDPOINT_URL: "http://127.0.0.1:1/env",
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "http://127.0.0.1:1/env",
    });
    for (const type of ["openai", "anthropic", "google", "mistral", "groq", "azure", "amazon-bedrock"]) {
      const settings = { resourceName: "mine", region: "us-east-1" };
      expect(() => create({ it: { type, settings } }).get("it")).toThrow(expect.objectContaining({ code: "missing-secret" }));
      expect(() => create({ it: { type, settings: { apiKey: "" } } }).get("it")).toThrow();
      for (const apiKey of ["", null]) {
        const { headers } = await send(type, {}, { settings: { apiKey } });
        expect(JSON.stringify(headers)).not.toContain("from-env");
      }
    }
    const signed = { apiKey: null, accessKeyId: "AKIAEXAMPLE", secretAccessKey: "s" };
    const { headers } = await send("amazon-bedrock", {}, { settings: signed });
    expect(headers.authorization).toContain("Credential=AKIAEXAMPLE/");
    expect(headers.authorization).toContain("/us-east-1/bedrock/");
    expect(headers).not.toHaveProperty("x-amz-security-token");
  });

  it.each([
    ["mistral", {}, "MISTRAL_API_KEY"],
    ["groq", {}, "GROQ_API_KEY"],
    ["azure", { resourceName: "mine" }, "AZURE_API_KEY"],
    ["amazon-bedrock", { region: "us-east-1" }, "AWS_BEARER_TOKEN_BEDROCK"],
    ["amazon-bedrock", { region: "us-east-1", accessKeyId: "a" }, "AWS_SECRET_ACCESS_KEY"],
    ["amazon-bedrock", { region: "us-east-1", secretAccessKey: "s" }, "AWS_ACCESS_KEY_ID"],
  ])("say under which name a key of %s usually stands (%j)", (type, settings: { [name: string]: Json }, secret) => {
    expect(() => create({ it: { type, settings } }).get("it")).toThrow(
      expect.objectContaining({
        code: "missing-secret",
        details: { provider: "it", secret },
        message: expect.stringContaining(`secrets.${secret} }}`),
      }),
    );
  });

  it.each([
    ["a type that does not exist", { type: "nonsense", settings: {} }, "provider-not-supported"],
    ["an openai-compatible server without address", { type: "openai-compatible", settings: {} }, "missing-setting"],
    ["an Azure without a resource", { type: "azure", settings: { apiKey: "k" } }, "missing-setting"],
    [
      "a resource that is more than a name",
      { type: "azure", settings: { apiKey: "k", resourceName: "me@evil.example/#" } },
      "invalid-setting",
    ],
    ["a Bedrock without a region", { type: "amazon-bedrock", settings: { apiKey: "k" } }, "missing-setting"],
    ["a region that is none", { type: "amazon-bedrock", settings: { apiKey: "k", region: "evil.example/" } }, "invalid-setting"],
    ["an address that is none", { type: "openai", settings: { apiKey: "k", baseUrl: "api.example.com" } }, "invalid-setting"],
  ])("refuse %s", (_, given, code) => {
    expect(() => create({ it: given }).get("it")).toThrow(expect.objectContaining({ code }));
  });

  it("tell an unknown name from the known ones, also when it is a word of JavaScript", () => {
    expect(() => create({ openai: definition("openai") }).get("opnai")).toThrow(
      expect.objectContaining({ code: "unknown-provider", message: expect.stringContaining("openai") }),
    );
    expect(() => create({}).get("constructor")).toThrow(expect.objectContaining({ code: "unknown-provider" }));
  });

  it("simulate without network or key", async () => {
    const providers = create({ sim: { type: "simulator", settings: { seed: 3 } } });
    const answer = await providers
      .get("sim")
      .call(
        "any",
        { messages: [{ role: "user", content: [{ text: "hello" }] }], config: {}, output: { schema: CLOSED } },
        { signal: new AbortController().signal },
      );
    expect(Object.keys(JSON.parse(answer.text))).toEqual(["category", "urgent"]);
    await providers.close();
  });

  it("say what is wrong with a simulator's settings", async () => {
    const simulator = create({ sim: { type: "simulator", settings: { sede: 3 } } }).get("sim");
    await expect(simulator.call("any", { messages: [], config: {} }, { signal: new AbortController().signal })).rejects.toMatchObject({
      code: "invalid-simulator-script",
      message: expect.stringContaining("sede"),
    });
  });
});

function dig(value: Json | undefined, ...path: string[]): Json | undefined {
  return path.reduce((at, key) => (at as { [key: string]: Json } | undefined)?.[key], value);
}

function pick(value: Json, ...names: string[]): Json[] {
  const from = value as { [name: string]: Json };
  return names.filter((name) => from[name] !== undefined).map((name) => from[name]!);
}

/** The fake server has one answer at a time. */
let turn: Promise<unknown> = Promise.resolve();
function sequentially<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work);
  turn = result.catch(() => {});
  return result;
}
