import { acceptedRunSchema } from "@flow-run/spec";
import { describe, expect, test } from "vitest";
import { codeOf, startRun, startServer } from "./test-server.ts";

describe("starting a run", () => {
  test("is answered with 202, the run's address and what was accepted", async () => {
    const server = await startServer();
    const answer = await server.call("POST", "/v1/flows/triage/runs", { body: { input: { ticket: "hi" }, tags: ["a"], priority: 5 } });
    expect(answer.status).toBe(202);
    expect(acceptedRunSchema.parse(answer.json)).toEqual(answer.json);
    expect(answer.json).toMatchObject({ flow: "triage", kind: "task", environment: "dev", release: 1, status: "queued" });
    expect(answer.json.id).toMatch(/^run_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(answer.headers.get("location")).toBe(`/v1/runs/${answer.json.id}`);
    expect(answer.headers.get("idempotency-replayed")).toBeNull();
    expect(Number(answer.headers.get("x-flow-run-overhead-ms"))).toBeGreaterThanOrEqual(0);
    expect(answer.headers.get("ratelimit")).toMatch(/^"runs";r=\d+;t=1$/);
    expect(server.store.runs.get(answer.json.id)?.run).toMatchObject({ tags: ["a"], input: { ticket: "hi" } });
  });

  test("fills in the defaults of the flow's input schema", async () => {
    const server = await startServer();
    const id = await startRun(server, { body: { input: { ticket: "hi" } } });
    expect(server.store.runs.get(id)?.run.input).toEqual({ ticket: "hi", tone: "kind" });
  });

  test("needs no body when the flow takes any input", async () => {
    const server = await startServer();
    const answer = await server.call("POST", "/v1/flows/echo/runs");
    expect(answer.status).toBe(202);
    expect(server.store.runs.get(answer.json.id)?.run.input).toEqual({});
  });

  test("is answered only after the commit", async () => {
    const server = await startServer();
    const commit = server.store.holdCommits();
    let answered = false;
    const answer = server.call("POST", "/v1/flows/triage/runs", { body: { input: { ticket: "hi" } } }).finally(() => {
      answered = true;
    });
    await expect.poll(() => server.store.calls.submitRun).toBe(1);
    await server.call("GET", "/healthz");
    expect(answered).toBe(false);
    commit();
    expect((await answer).status).toBe(202);
  });

  test("with input that does not fit names every mistake by pointer", async () => {
    const server = await startServer();
    const answer = await server.call("POST", "/v1/flows/triage/runs", { body: { input: { tone: 7, extra: true } } });
    expect(codeOf(answer)).toBe("invalid-input");
    expect(answer.status).toBe(422);
    const pointers = answer.json.errors.map((error: { pointer: string }) => error.pointer);
    expect(pointers).toEqual(expect.arrayContaining([expect.stringMatching(/^\/input/), "/input/tone"]));
    expect(answer.json.errors.every((error: { detail: string }) => error.detail.length > 0)).toBe(true);
    expect(server.store.calls.submitRun).toBeUndefined();
  });

  test("does not coerce: a number where text belongs is refused", async () => {
    const server = await startServer();
    expect(codeOf(await server.call("POST", "/v1/flows/triage/runs", { body: { input: { ticket: 1 } } }))).toBe("invalid-input");
    expect(codeOf(await server.call("POST", "/v1/flows/triage/runs", { body: { input: { ticket: "x" }, priority: "5" } }))).toBe(
      "invalid-input",
    );
  });

  test("with an unknown field says which one was meant", async () => {
    const server = await startServer();
    const answer = await server.call("POST", "/v1/flows/triage/runs", { body: { inputs: { ticket: "x" } } });
    expect(answer.status).toBe(422);
    expect(answer.json.errors).toContainEqual({ detail: 'unknown field; did you mean "input"?', pointer: "/inputs" });
  });

  test("of an unknown flow suggests the one that was meant", async () => {
    const server = await startServer();
    const answer = await server.call("POST", "/v1/flows/triagge/runs", { body: { input: {} } });
    expect(codeOf(answer)).toBe("flow-not-found");
    expect(answer.json.detail).toContain('did you mean "triage"?');
    expect(codeOf(await server.call("POST", "/v1/flows/constructor/runs", { body: {} }))).toBe("flow-not-found");
    expect(codeOf(await server.call("POST", "/v1/flows/__proto__/runs", { body: {} }))).toBe("flow-not-found");
  });

  test("before anything was deployed tells how to deploy", async () => {
    const server = await startServer({ deployed: false });
    const answer = await server.call("POST", "/v1/flows/triage/runs", { body: { input: { ticket: "x" } } });
    expect(codeOf(answer)).toBe("flow-not-found");
    expect(answer.json.detail).toContain("flow-run deploy --env dev");
  });

  test("can be pinned to a release that exists, and to no other", async () => {
    const server = await startServer();
    expect((await server.call("POST", "/v1/flows/echo/runs", { body: { release: 1 } })).json.release).toBe(1);
    expect(codeOf(await server.call("POST", "/v1/flows/echo/runs", { body: { release: 2 } }))).toBe("release-not-found");
    for (const release of [0, -1, 1.5, 1e12, "1"]) {
      expect(codeOf(await server.call("POST", "/v1/flows/echo/runs", { body: { release } }))).toBe("invalid-input");
    }
  });

  test("while the database is away is refused with 503 and Retry-After", async () => {
    const server = await startServer();
    server.store.goAway();
    const answer = await server.call("POST", "/v1/flows/triage/runs", { body: { input: { ticket: "x" } } });
    expect(codeOf(answer)).toBe("database-unavailable");
    expect(answer.headers.get("retry-after")).toBe("1");
    server.store.comeBack();
    await startRun(server);
  });
});

describe("Idempotency-Key", () => {
  const body = { input: { ticket: "same" } };

  test("a hundred equal requests at once are one run and a hundred equal answers", async () => {
    const server = await startServer();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => server.call("POST", "/v1/flows/triage/runs", { body, headers: { "idempotency-key": '"one"' } })),
    );
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.text}`)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get("idempotency-replayed") === "true")).toHaveLength(99);
    expect(server.store.runs.size).toBe(1);
  });

  test("is the same quoted and unquoted, and whatever the order of the keys in the body", async () => {
    const server = await startServer();
    const first = await startRun(server, { body: { input: { ticket: "x" }, tags: ["t"] }, headers: { "idempotency-key": '"k-1"' } });
    const second = await startRun(server, { body: '{"tags":["t"],"input":{"ticket":"x"}}', headers: { "idempotency-key": "k-1" } });
    expect(second).toBe(first);
  });

  test("is answered with the state at acceptance also when the run has ended since", async () => {
    const server = await startServer();
    const first = await server.call("POST", "/v1/flows/triage/runs", { body, headers: { "idempotency-key": "k" } });
    server.store.endRun(first.json.id);
    const second = await server.call("POST", "/v1/flows/triage/runs", { body, headers: { "idempotency-key": "k" } });
    expect(second.text).toBe(first.text);
  });

  test("with another body, flow or option is refused", async () => {
    const server = await startServer();
    const headers = { "idempotency-key": "k" };
    await startRun(server, { body, headers });
    for (const [flow, other] of [
      ["triage", { input: { ticket: "other" } }],
      ["triage", { ...body, tags: ["t"] }],
      ["triage", { ...body, priority: 1 }],
      ["echo", body],
    ] as const) {
      const answer = await server.call("POST", `/v1/flows/${flow}/runs`, { body: other, headers });
      expect(codeOf(answer)).toBe("idempotency-key-reused");
      expect(answer.status).toBe(422);
    }
  });

  test("is another one in another environment", async () => {
    const server = await startServer();
    const { store } = server;
    const bundle = (await store.getBundle("dev", 1))!;
    await store.deploy({ environment: "prod", bundle, hash: bundle.hash as string, author: null, message: null, commit: null });
    const headers = { "idempotency-key": "k" };
    const dev = await startRun(server, { body, headers });
    const prod = await startRun(server, { body, headers, environment: "prod" });
    expect(prod).not.toBe(dev);
  });

  test.each([
    ["empty", ""],
    ["longer than 255 characters", "k".repeat(256)],
    ["of 10 KB", "k".repeat(10_000)],
    ["not ASCII", "schlüssel"],
    ["with quotes that do not match", '"k'],
  ])("that is %s is refused", async (_, key) => {
    const server = await startServer();
    const answer = await server.call("POST", "/v1/flows/triage/runs", { body, headers: { "idempotency-key": key } });
    expect(codeOf(answer)).toBe("malformed-request");
    expect(answer.json.errors[0].parameter).toBe("Idempotency-Key");
  });

  test("of 255 characters is taken", async () => {
    const server = await startServer();
    await startRun(server, { body, headers: { "idempotency-key": `"${"k".repeat(255)}"` } });
  });
});

describe("limits on starting", () => {
  test("one key that starts too much is told to wait while others are served", async () => {
    const server = await startServer({ limits: { submitsPerSecond: 3 } });
    const { json: other } = await server.call("POST", "/v1/keys", { body: { name: "other", scopes: ["run"] } });
    const answers = await Promise.all(Array.from({ length: 30 }, () => server.call("POST", "/v1/flows/echo/runs")));
    const refused = answers.filter((answer) => answer.status === 429);
    expect(refused.length).toBeGreaterThan(20);
    expect(codeOf(refused[0]!)).toBe("rate-limited");
    expect(refused[0]!.headers.get("retry-after")).toBe("1");
    expect(refused[0]!.headers.get("ratelimit-policy")).toBe('"runs";q=3;w=1');
    expect((await server.call("POST", "/v1/flows/echo/runs", { key: other.key })).status).toBe(202);
  });

  test("one key may have only so many starts waiting for their commit", async () => {
    const server = await startServer({ limits: { submitsInFlight: 2 } });
    const commit = server.store.holdCommits();
    const waiting = [server.call("POST", "/v1/flows/echo/runs"), server.call("POST", "/v1/flows/echo/runs")];
    await expect.poll(() => server.store.calls.submitRun).toBe(2);
    expect(codeOf(await server.call("POST", "/v1/flows/echo/runs"))).toBe("rate-limited");
    commit();
    expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual([202, 202]);
    expect((await server.call("POST", "/v1/flows/echo/runs")).status).toBe(202);
  });
});
