import { connect } from "node:net";
import type { Json, SimulatorScript } from "@flow-run/spec";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SimulatorServer, startSimulatorServer } from "../index.ts";

let server: SimulatorServer;
beforeAll(async () => {
  server = await startSimulatorServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.setScript({});
  server.reset();
});

const hello = { model: "gpt-5-mini", messages: [{ role: "user", content: "hello" }] };

function post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(server.url + path, {
    method: "POST",
    body: text,
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
}

async function get(path: string): Promise<Json> {
  return (await (await fetch(server.url + path)).json()) as Json;
}

const rule = (error: NonNullable<NonNullable<SimulatorScript["rules"]>[number]["error"]>): SimulatorScript => ({ rules: [{ error }] });

describe("faults on the wire", () => {
  test("429 carries Retry-After in whole seconds and the exact time in milliseconds", async () => {
    server.setScript(rule({ status: 429, retryAfter: "1500ms" }));
    const response = await post("/v1/chat/completions", hello);
    expect([response.status, response.headers.get("retry-after"), response.headers.get("retry-after-ms")]).toEqual([429, "2", "1500"]);
    expect(await response.json()).toEqual({
      error: { message: expect.any(String), type: "requests", param: null, code: "rate_limit_exceeded" },
    });
  });

  test("Google says in its details when to try again", async () => {
    server.setScript(rule({ status: 429, retryAfter: "1500ms" }));
    const response = await post("/v1beta/models/gemini:generateContent", { contents: [{ parts: [{ text: "hello" }] }] });
    expect(await response.json()).toMatchObject({ error: { code: 429, status: "RESOURCE_EXHAUSTED", details: [{ retryDelay: "1.5s" }] } });
  });

  test("raw bodies, statuses and headers are sent as the script has them", async () => {
    server.setScript(rule({ body: "<html>maintenance</html>", headers: { "Content-Type": "text/html" } }));
    const page = await post("/v1/messages", { ...hello, max_tokens: 5 });
    expect([page.status, page.headers.get("content-type"), await page.text()]).toEqual([200, "text/html", "<html>maintenance</html>"]);
    server.setScript(rule({ status: 302, headers: { location: "http://elsewhere.invalid/" } }));
    const redirect = await post("/v1/chat/completions", hello, { redirect: "manual" });
    expect([redirect.status, redirect.headers.get("location")]).toEqual([302, "http://elsewhere.invalid/"]);
    server.setScript(rule({ status: 200, body: "" }));
    expect(await (await post("/v1/chat/completions", hello)).text()).toBe("");
    server.setScript(rule({ status: 429, headers: { "retry-after": "999999999" } }));
    expect((await post("/v1/chat/completions", hello)).headers.get("retry-after")).toBe("999999999");
  });

  test("usage that makes no sense is sent as the script has it, and nothing is billed for it", async () => {
    server.setScript({ rules: [{ rawUsage: { prompt_tokens: -5, completion_tokens: "many" } }] });
    expect(await (await post("/v1/chat/completions", hello)).json()).toMatchObject({
      usage: { prompt_tokens: -5, completion_tokens: "many" },
    });
    expect(server.requests()).toMatchObject([{ usage: null, answeredInFull: true }]);
  });

  test("an answer without usage has none on any wire", async () => {
    server.setScript({ rules: [{ usage: "none" }] });
    expect(await (await post("/v1/chat/completions", hello)).json()).not.toHaveProperty("usage");
    expect(
      await (await post("/v1beta/models/gemini:generateContent", { contents: [{ parts: [{ text: "hello" }] }] })).json(),
    ).not.toHaveProperty("usageMetadata");
  });

  test.each([false, true])("an answer cut in the middle has begun, is billed and does not end (streamed: %s)", async (stream) => {
    server.setScript(rule({ cutAfter: 2 }));
    const response = await post("/v1/chat/completions", { ...hello, stream });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(server.requests()).toMatchObject([{ status: 200, answeredInFull: false, usage: { inputTokens: 6 } }]);
  });

  test("an answer cut before its first byte is a reset connection and costs nothing", async () => {
    server.setScript(rule({ cutAfter: 0 }));
    await expect(post("/v1/chat/completions", hello)).rejects.toThrow();
    expect(server.requests()).toMatchObject([{ status: 0, answeredInFull: false, usage: null }]);
  });

  test.each([false, true])("an answer that stalls has begun and stays silent until the client leaves (streamed: %s)", async (stream) => {
    server.setScript(rule({ stallAfter: 2 }));
    const controller = new AbortController();
    const response = await post("/v1/chat/completions", { ...hello, stream }, { signal: controller.signal });
    const reader = response.body!.getReader();
    expect((await reader.read()).value!.length).toBeGreaterThan(50);
    const next = reader.read();
    controller.abort();
    await expect(next).rejects.toThrow();
    expect(server.requests()).toMatchObject([{ status: 200, answeredInFull: false }]);
  });

  test.each([false, true])("an endless answer goes on for as long as it is read (streamed: %s)", async (stream) => {
    server.setScript(rule({ endless: true }));
    const controller = new AbortController();
    const response = await post("/v1/chat/completions", { ...hello, stream }, { signal: controller.signal });
    const reader = response.body!.getReader();
    for (let size = 0; size < 3_000_000; ) size += (await reader.read()).value!.length;
    controller.abort();
    expect(server.requests()).toMatchObject([{ status: 200, answeredInFull: false }]);
  });

  test("latency delays the answer, and perToken the pieces", async () => {
    server.setScript({ latency: { min: "60ms", firstToken: "30ms", perToken: "2ms" }, rules: [{ answer: "one two three four five six" }] });
    for (const stream of [false, true]) {
      const started = performance.now();
      const response = await post("/v1/chat/completions", { ...hello, stream });
      await response.text();
      expect(performance.now() - started).toBeGreaterThanOrEqual(95);
    }
  });

  test("a client that leaves while it waits is not billed", async () => {
    server.setScript({ latency: "10s" });
    await expect(post("/v1/chat/completions", hello, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    expect(server.requests()).toMatchObject([{ status: 0, usage: null, answeredInFull: false }]);
  });
});

describe("requests that the vendors refuse", () => {
  const google = "/v1beta/models/gemini:generateContent";
  test.each<[string, string, unknown, object]>([
    ["not JSON", "/v1/chat/completions", '{"a":', { error: { type: "invalid_request_error", message: expect.stringContaining("JSON") } }],
    ["a list", "/v1/responses", "[]", { error: { type: "invalid_request_error" } }],
    ["no model", "/v1/chat/completions", { messages: hello.messages }, { error: { message: expect.stringContaining("model") } }],
    ["no messages", "/v1/chat/completions", { model: "m" }, { error: { message: expect.stringContaining("messages") } }],
    [
      "a message that is text",
      "/v1/chat/completions",
      { model: "m", messages: ["hello"] },
      { error: { message: expect.stringContaining("messages[0]") } },
    ],
    [
      "an unknown role",
      "/v1/chat/completions",
      { model: "m", messages: [{ role: "__proto__", content: "" }] },
      { error: { message: expect.stringContaining("role") } },
    ],
    [
      "a schema that is text",
      "/v1/responses",
      { model: "m", input: "a", text: { format: { type: "json_schema", schema: "x" } } },
      { error: { message: expect.stringContaining("schema") } },
    ],
    [
      "no max_tokens",
      "/v1/messages",
      hello,
      { type: "error", error: { type: "invalid_request_error", message: expect.stringContaining("max_tokens") } },
    ],
    ["no contents", google, {}, { error: { code: 400, status: "INVALID_ARGUMENT" } }],
    ["null", google, "null", { error: { code: 400 } }],
    [
      "a schema nested too deeply",
      google,
      `{"contents":[{"parts":[]}],"generationConfig":{"responseSchema":${'{"items":'.repeat(50_000)}{}${"}".repeat(50_000)}}}`,
      { error: { code: 400 } },
    ],
  ])("%s", async (_, path, body, expected) => {
    const response = await post(path, body);
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining(toMatch(expected))]);
    expect(response.headers.get("request-id") ?? response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(server.requests()).toMatchObject([{ status: 400, answeredInFull: false, usage: null }]);
    expect((await post("/v1/chat/completions", hello)).status).toBe(200);
  });

  test("a body that is too large is refused before it has come whole", async () => {
    const small = await startSimulatorServer({ maxBodyBytes: 1000 });
    try {
      const send = (size: number) =>
        fetch(`${small.url}/v1/messages`, { method: "POST", body: JSON.stringify({ ...hello, max_tokens: 1, padding: "x".repeat(size) }) });
      const response = await send(5_000);
      expect([response.status, await response.json()]).toMatchObject([413, { type: "error", error: { type: "request_too_large" } }]);
      expect((await send(10)).status).toBe(200);
    } finally {
      await small.close();
    }
  });

  test("an unknown path is told what there is", async () => {
    const response = await post("/v2/chat", {});
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { error: { message: expect.stringContaining("POST /v1/chat/completions") }, routes: expect.any(Array) },
    ]);
    expect((await fetch(`${server.url}/v1/messages`)).status).toBe(404);
    expect((await fetch(`${server.url}//`)).status).toBe(404);
    expect(server.requests()).toEqual([]);
  });

  test("a page of another site is refused, a program of this machine is not", async () => {
    const status = async (headers: string) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.end(`GET /_totals HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);
      let answer = "";
      for await (const chunk of socket) answer += chunk;
      return answer.slice(9, 12);
    };
    expect(await status("Host: evil.example")).toBe("403");
    expect(await status(`Host: 127.0.0.1:${server.port}\r\nOrigin: https://evil.example`)).toBe("403");
    expect(await status(`Host: localhost:${server.port}\r\nOrigin: http://localhost:3000`)).toBe("200");
  });
});

describe("what it was asked", () => {
  test("GET /_requests lists requests, pages by number, and gives the bodies' hashes", async () => {
    for (const text of ["one", "two", "three"])
      await post(
        "/v1/chat/completions",
        { model: "m", messages: [{ role: "user", content: text }] },
        { headers: { "x-flow-run-attempt": `att_${text}` } },
      );
    expect(await get("/_requests")).toMatchObject({ total: 3, requests: [{ n: 1 }, { n: 2 }, { n: 3 }] });
    expect(await get("/_requests?since=1&limit=1")).toEqual({
      total: 3,
      requests: [
        {
          n: 2,
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
          protocol: "openai-chat",
          model: "m",
          attempt: "att_two",
          status: 200,
          usage: { inputTokens: 5, outputTokens: expect.any(Number), cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
          answeredInFull: true,
          bodySha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          lastUserText: "two",
        },
      ],
    });
    expect((await fetch(`${server.url}/_requests?since=-1`)).status).toBe(400);
  });

  test("GET /_totals sums what was billed, by model, failures without cost included", async () => {
    server.setScript({ rules: [{ when: { model: "bad" }, error: { status: 500 } }, { usage: { inputTokens: 10, outputTokens: 4 } }] });
    for (const model of ["a", "a", "b", "bad"]) await post("/v1/chat/completions", { ...hello, model });
    const usage = { cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
    expect(await get("/_totals")).toEqual({
      requests: 4,
      answeredInFull: 3,
      byStatus: { 200: 3, 500: 1 },
      usage: { inputTokens: 30, outputTokens: 12, ...usage },
      models: {
        a: { requests: 2, answeredInFull: 2, usage: { inputTokens: 20, outputTokens: 8, ...usage } },
        b: { requests: 1, answeredInFull: 1, usage: { inputTokens: 10, outputTokens: 4, ...usage } },
        bad: { requests: 1, answeredInFull: 0, usage: { inputTokens: 0, outputTokens: 0, ...usage } },
      },
    });
  });

  test("DELETE /_requests forgets requests and counts", async () => {
    server.setScript({ rules: [{ answer: "first", times: 1 }, { answer: "later" }] });
    await post("/v1/chat/completions", hello);
    expect(await (await fetch(`${server.url}/_requests`, { method: "DELETE" })).json()).toEqual({ total: 0 });
    expect(await (await post("/v1/chat/completions", hello)).json()).toMatchObject({ choices: [{ message: { content: "first" } }] });
    expect(await get("/_requests")).toMatchObject({ total: 1, requests: [{ n: 1 }] });
  });

  test("PUT /_script replaces the script while the server runs, and one with mistakes changes nothing", async () => {
    const put = (body: string) => fetch(`${server.url}/_script`, { method: "PUT", body });
    expect(await (await put("rules:\n  - answer: from yaml\n")).json()).toEqual({ rules: 1 });
    expect(await (await post("/v1/chat/completions", hello)).json()).toMatchObject({ choices: [{ message: { content: "from yaml" } }] });
    const refused = await put('{"rules":[{"answr":1}]}');
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { error: { code: "invalid-simulator-script", problems: [{ line: 1 }, {}] } },
    ]);
    expect(await get("/_script")).toEqual({ rules: [{ answer: "from yaml" }] });
  });

  test("GET /v1/models lists the models that were asked", async () => {
    await post("/v1/chat/completions", { ...hello, model: "gpt-x" });
    expect(await get("/v1/models")).toMatchObject({ object: "list", data: [{ id: "simulator" }, { id: "gpt-x", object: "model" }] });
  });

  test("the log is bounded", async () => {
    const short = await startSimulatorServer({ keptRequests: 2 });
    try {
      for (let index = 0; index < 5; index++)
        await (await fetch(`${short.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(hello) })).text();
      expect(short.requests().map(({ n }) => n)).toEqual([4, 5]);
      expect(short.totals()).toMatchObject({ requests: 5, answeredInFull: 5 });
    } finally {
      await short.close();
    }
  });
});

describe("the wires", () => {
  test("the same question gets the same answer, streamed or not", async () => {
    const whole = (await (await post("/v1/chat/completions", hello)).json()) as { choices: [{ message: { content: string } }] };
    const stream = await (await post("/v1/chat/completions", { ...hello, stream: true })).text();
    const chunks = [...stream.matchAll(/^data: (\{.*)$/gm)].map(
      ([, data]) => JSON.parse(data!) as { choices: { delta: { content?: string } }[]; usage?: unknown },
    );
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(whole.choices[0].message.content);
    expect(stream).toMatch(/data: \[DONE\]\n\n$/);
    expect(chunks.every((chunk) => chunk.usage === undefined)).toBe(true);
  });

  test("usage ends a chat stream only where it was asked for", async () => {
    const stream = await (await post("/v1/chat/completions", { ...hello, stream: true, stream_options: { include_usage: true } })).text();
    const last = JSON.parse([...stream.matchAll(/^data: (\{.*)$/gm)].at(-1)![1]!) as object;
    expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 6, total_tokens: expect.any(Number) } });
  });

  test("Google's own dialect of schemas is understood", async () => {
    const responseSchema = {
      type: "OBJECT",
      properties: {
        kind: { type: "STRING", format: "enum", enum: ["a", "b"] },
        notes: { type: "ARRAY", minItems: "2", items: { type: "INTEGER" } },
        none: { type: "STRING", nullable: true },
      },
      required: ["kind", "notes"],
    };
    const response = await post("/v1beta/models/gemini:generateContent", {
      contents: [{ parts: [{ text: "hello" }] }],
      generationConfig: { responseMimeType: "application/json", responseSchema },
    });
    const { candidates } = (await response.json()) as { candidates: [{ content: { parts: [{ text: string }] } }] };
    expect(JSON.parse(candidates[0].content.parts[0].text)).toEqual({
      kind: expect.stringMatching(/^[ab]$/),
      notes: expect.arrayContaining([expect.any(Number), expect.any(Number)]),
      none: expect.any(String),
    });
  });

  test("text with every kind of character arrives as the script has it", async () => {
    const text = 'line\nbreak \u0000 nul, \ud83d\ude00 pair, \u2028 separator, "quotes", back\\slash, ~\uffff';
    server.setScript({ rules: [{ answer: text }] });
    const whole = (await (await post("/v1/chat/completions", hello)).json()) as { choices: [{ message: { content: string } }] };
    expect(whole.choices[0].message.content).toBe(text);
    const stream = await (await post("/v1/responses", { model: "m", input: "hello", stream: true })).text();
    const deltas = [...stream.matchAll(/\ndata: (\{"type":"response.output_text.delta"[^\n]*)/g)].map(
      ([, data]) => (JSON.parse(data!) as { delta: string }).delta,
    );
    expect(deltas.join("")).toBe(text);
  });

  test("a thousand requests over kept connections are all answered in full", async () => {
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) => (await post("/v1/chat/completions", { ...hello, user: String(index) })).json()),
    );
    expect(answers).toHaveLength(1_000);
    expect(server.totals()).toMatchObject({ requests: 1_000, answeredInFull: 1_000 });
  });
});

test("a port that is taken is an error and not a crash", async () => {
  await expect(startSimulatorServer({ port: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("closing ends requests that would never be answered", async () => {
  const other = await startSimulatorServer({ script: rule({ timeout: true }) });
  const waiting = fetch(`${other.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(hello) }).then(
    () => "answered",
    () => "broken",
  );
  while (other.requests().length === 0) await new Promise((resolve) => setImmediate(resolve));
  await other.close();
  expect(await waiting).toBe("broken");
});

/** Asymmetric matchers for objects inside: what `toMatchObject` does, as a matcher. */
function toMatch(expected: object): object {
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [key, isPlain(value) ? expect.objectContaining(toMatch(value)) : (value as unknown)]),
  );
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
