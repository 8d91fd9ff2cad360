import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ApiError, type Client, createClient } from "@flow-run/client";
import { FlowRunError, type RunEvent } from "@flow-run/spec";
import { describe, expect, onTestFinished, test } from "vitest";
import { createValidators } from "../../src/compile/index.ts";
import { createApp, createLogger } from "../../src/server/index.ts";
import { MemoryStore } from "./memory-store.ts";
import { testBundle } from "./test-bundle.ts";
import { ADMIN_KEY, startServer, type TestServer } from "./test-server.ts";

function clientOf(server: { url: string }, more: object = {}): Client {
  return createClient({ url: server.url, apiKey: ADMIN_KEY, ...more });
}

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) throw new Error(`not an ApiError: ${error}`);
  return error;
}

/** An HTTP server that answers as it is told. */
async function startFake(
  answer: (count: number, headers: Record<string, unknown>) => { status: number; body: string; headers?: object } | "drop",
): Promise<string> {
  let count = 0;
  const server: Server = createServer((request, response) => {
    const told = answer(++count, request.headers);
    if (told === "drop") return void request.socket.destroy();
    response.writeHead(told.status, { "content-type": "application/json", ...told.headers });
    response.end(told.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the client", () => {
  test("starts, finds, lists, cancels and replays runs", async () => {
    const server = await startServer();
    const client = clientOf(server);
    const started = await client.startRun("triage", { input: { ticket: "hi" }, tags: ["t"] });
    expect(started).toMatchObject({ flow: "triage", status: "queued", release: 1 });
    expect(await client.getRun(started.id)).toMatchObject({ id: started.id, input: { ticket: "hi", tone: "kind" } });
    server.store.recordStep(started.id, "draft");
    expect(await client.steps(started.id)).toMatchObject([{ path: "draft", seq: 1 }]);
    expect((await client.listRuns({ flow: "triage", tag: "t", limit: 1 })).runs).toMatchObject([{ id: started.id }]);
    expect((await client.listRuns({ status: "failed" })).runs).toEqual([]);
    expect(await client.cancel(started.id)).toMatchObject({ status: "cancelled" });
    expect((await client.replay(started.id)).id).not.toBe(started.id);
    expect((await client.replay(started.id, { release: "same" })).release).toBe(1);
  });

  test("lists flows and releases, deploys, and manages keys of an environment", async () => {
    const server = await startServer({ deployed: false });
    const client = clientOf(server, { environment: "prod" });
    expect(await client.flows()).toEqual([]);
    expect(await client.deploy({ bundle: testBundle(), author: "ada" })).toMatchObject({ environment: "prod", release: 1, changed: true });
    expect(await client.deploy({ bundle: testBundle() })).toMatchObject({ release: 1, changed: false });
    expect((await client.flows()).map((flow) => flow.name)).toEqual(["echo", "reply", "triage"]);
    expect(await client.flow("triage")).toMatchObject({ kind: "task" });
    expect(await client.releases()).toMatchObject([{ number: 1, author: "ada", current: true }]);
    expect(await client.release(1)).toMatchObject({ project: "support-desk" });
    const key = await client.createKey({ name: "app", scopes: ["run"] });
    const app = clientOf(server, { apiKey: key.key });
    expect(await app.startRun("echo")).toMatchObject({ environment: "prod" });
    expect(await client.keys()).toMatchObject([{ id: key.id, name: "app" }]);
    await client.revokeKey(key.id);
    expect((await failureOf(app.startRun("echo"))).code).toBe("unauthorized");
    expect(await client.readiness()).toEqual({ status: "ready", reasons: [] });
    server.app.drain();
    expect(await client.readiness()).toEqual({ status: "not-ready", reasons: ["the server is shutting down"] });
  });

  test("turns a problem into an error that has its code, its mistakes and says what to do", async () => {
    const server = await startServer();
    const error = await failureOf(clientOf(server).startRun("triage", { input: { tone: 1 } }));
    expect(error).toMatchObject({ code: "invalid-input", status: 422, retryable: false, problem: { title: "The input does not fit" } });
    expect(FlowRunError.isInstance(error)).toBe(true);
    expect(error.message).toContain("/input/tone: ");
    expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await failureOf(clientOf(server).flow("triag"))).message).toContain('did you mean "triage"?');
  });

  test("says which address gave no answer, and what to do", async () => {
    const error = await failureOf(createClient({ url: "http://127.0.0.1:9", retries: 0 }).flows());
    expect(error).toMatchObject({ code: "server-unreachable", status: undefined, retryable: true });
    expect(error.message).toContain("http://127.0.0.1:9");
    expect(error.message).toContain("flow-run dev");
    expect(() => createClient({ url: "localhost" })).toThrow(/http:\/\/127/);
  });

  test("recognises an answer that is not a flow-run server's", async () => {
    for (const body of ["<html>Bad gateway</html>", "{}", '{"type":"about:blank"}', "null"]) {
      const url = await startFake(() => ({ status: 418, body }));
      expect(await failureOf(createClient({ url }).flows())).toMatchObject({ code: "unexpected-answer", status: 418 });
    }
    const url = await startFake(() => ({ status: 200, body: "<html>" }));
    expect((await failureOf(createClient({ url }).flows())).code).toBe("unexpected-answer");
  });

  test("sends a start again when no answer came, with the same key: one run", async () => {
    const keys: unknown[] = [];
    const url = await startFake((count, headers) => {
      keys.push(headers["idempotency-key"]);
      if (count === 1) return "drop";
      if (count === 2) return { status: 503, body: "", headers: { "retry-after": "0" } };
      return { status: 202, body: '{"id":"run_1"}' };
    });
    expect(await createClient({ url }).startRun("x")).toEqual({ id: "run_1" });
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^"[0-9a-f-]{36}"$/);
  });

  test("does not repeat what must not be repeated, nor what was refused for good", async () => {
    let asked = 0;
    const url = await startFake((count) => {
      asked = count;
      return count === 1 ? { status: 503, body: "" } : { status: 422, body: "" };
    });
    await failureOf(createClient({ url }).createKey({ name: "x", scopes: ["run"] }));
    expect(asked).toBe(1);
    await failureOf(createClient({ url }).startRun("x"));
    expect(asked).toBe(2);
  });

  test("waits for a run until it ends, or for as long as it is told", async () => {
    const server = await startServer();
    const client = clientOf(server);
    const { id } = await client.startRun("echo");
    expect((await failureOf(client.waitForRun(id, { timeoutMs: 50 }))).code).toBe("timeout");
    const waiting = client.waitForRun(id);
    server.store.endRun(id, "done");
    expect(await waiting).toMatchObject({ status: "succeeded", output: "done" });
    expect((await failureOf(client.waitForRun("run_none"))).code).toBe("run-not-found");
    const stop = new AbortController();
    const second = await client.startRun("echo");
    const stopped = client.waitForRun(second.id, { signal: stop.signal });
    stop.abort();
    await expect(stopped).rejects.toThrow();
  });
});

describe("following a run", () => {
  test("tells its steps and its end", async () => {
    const server = await startServer();
    const client = clientOf(server);
    const { id } = await client.startRun("echo");
    server.store.recordStep(id, "one");
    server.store.recordStep(id, "two");
    server.store.endRun(id, "out");
    expect(await summary(client.events(id))).toEqual(["one", "two", "succeeded"]);
    expect(await summary(client.events(id, { lastEventId: "1" }))).toEqual(["two", "succeeded"]);
    expect(await summary(client.events(id, { lastEventId: "3" }))).toEqual([]);
  });

  test("goes on over a restart of the server, each step once", async () => {
    const store = new MemoryStore();
    const first = await startServer({ store });
    const client = clientOf(first);
    const { id } = await client.startRun("echo");
    store.recordStep(id, "one");
    const seen: string[] = [];
    const following = (async () => {
      for await (const event of client.events(id)) seen.push(nameOf(event));
    })();
    await expect.poll(() => seen).toEqual(["one"]);
    await first.app.close();
    store.recordStep(id, "two");
    const second = await restartOn(store, first);
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(["one", "two"]);
    store.endRun(id);
    await following;
    expect(seen).toEqual(["one", "two", "succeeded"]);
    await second.close();
  });

  test("ends when told to, leaving no connection behind", async () => {
    const server = await startServer();
    const client = clientOf(server);
    const { id } = await client.startRun("echo");
    server.store.recordStep(id, "one");
    for await (const _ of client.events(id)) break;
    const stop = new AbortController();
    const following = summary(client.events(id, { signal: stop.signal }));
    setImmediate(() => stop.abort());
    await expect(following).rejects.toThrow();
    await expect.poll(async () => (await server.call("GET", "/metrics")).text).toContain("flowrun_event_streams 0\n");
  });

  test("of an unknown run is an error, of a server that stays away too", async () => {
    const server = await startServer();
    expect((await failureOf(summary(clientOf(server).events("run_none")))).code).toBe("run-not-found");
    const away = createClient({ url: "http://127.0.0.1:9" });
    expect((await failureOf(summary(away.events("run_x", { unreachableMs: 300 })))).code).toBe("server-unreachable");
  });
});

function nameOf(event: RunEvent): string {
  if (event.type === "step-finished") return event.step.path;
  return event.type === "run-finished" ? event.run.status : event.type;
}

async function summary(events: AsyncIterable<RunEvent>): Promise<string[]> {
  const names: string[] = [];
  for await (const event of events) names.push(nameOf(event));
  return names;
}

async function restartOn(store: MemoryStore, former: TestServer): Promise<{ close(): Promise<void> }> {
  const app = await createApp({
    store,
    validators: createValidators(),
    adminKey: ADMIN_KEY,
    secrets: () => undefined,
    logger: createLogger({ level: "silent" }),
    version: "0",
  });
  await app.listen({ port: former.port, host: "127.0.0.1" });
  return app;
}
