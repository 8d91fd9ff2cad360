import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp, createLogger } from "../../src/server/index.ts";
import { EventReader } from "./event-reader.ts";
import { ADMIN_KEY, codeOf, startRun, startServer } from "./test-server.ts";

describe("health", () => {
  test("/healthz answers as long as the process lives, /readyz once the database answers", async () => {
    const server = await startServer();
    expect((await server.call("GET", "/healthz", { key: null })).json).toEqual({ status: "ok", version: "0.0.0-test" });
    expect((await server.call("GET", "/readyz", { key: null })).json).toEqual({ status: "ready", reasons: [] });
  });

  test("/readyz tells why the server takes no runs", async () => {
    const reasons: string[] = [];
    const server = await startServer({ notReady: () => reasons });
    server.store.goAway();
    const away = await server.call("GET", "/readyz");
    expect(away.status).toBe(503);
    expect(away.json).toEqual({ status: "not-ready", reasons: ["the database does not answer"] });
    expect((await server.call("GET", "/healthz")).status).toBe(200);
    server.store.comeBack();
    await expect.poll(async () => (await server.call("GET", "/readyz")).status, { timeout: 5_000 }).toBe(200);
    reasons.push("no worker has started");
    expect((await server.call("GET", "/readyz")).json.reasons).toEqual(["no worker has started"]);
  });

  test("many probes at once cost the database one question", async () => {
    const server = await startServer();
    await Promise.all(Array.from({ length: 50 }, () => server.call("GET", "/readyz")));
    expect(server.store.calls.ping).toBe(1);
  });
});

test("/metrics is the text format of Prometheus, without ids, and outlives the database", async () => {
  const server = await startServer();
  const id = await startRun(server);
  await server.call("GET", `/v1/runs/${id}`);
  await server.call("GET", "/nowhere");
  const { text, headers } = await server.call("GET", "/metrics", { key: null });
  expect(headers.get("content-type")).toContain("text/plain; version=0.0.4");
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [\d.e+-]+)$/);
  expect(text).toContain("flowrun_queue_depth 1\n");
  expect(text).toContain("flowrun_queue_oldest_seconds 0\n");
  expect(text).toContain('flowrun_runs_accepted_total{flow="triage",environment="dev"} 1\n');
  expect(text).toContain('flowrun_http_requests_total{method="GET",route="/v1/runs/:id",status="200"} 1\n');
  expect(text).toContain('flowrun_http_requests_total{method="GET",route="(none)",status="404"} 1\n');
  expect(text).not.toContain(id);
  server.store.goAway();
  expect((await server.call("GET", "/metrics")).text).toContain("flowrun_up 0\n");
});

describe("closing", () => {
  test("lets requests under way finish, answers new ones with 503, and ends waits and streams", async () => {
    const server = await startServer();
    const waited = await startRun(server);
    const stream = new EventReader(server.port, waited);
    await stream.opened();
    const commit = server.store.holdCommits();
    const submit = server.call("POST", "/v1/flows/echo/runs");
    const waiting = server.call("GET", `/v1/runs/${waited}?wait=60`);
    // A connection that was open before, with another request to come.
    const kept = connect(server.port, "127.0.0.1");
    onTestFinished(() => void kept.destroy());
    await expect.poll(() => server.store.calls.submitRun).toBe(2);
    await expect.poll(async () => (await server.call("GET", "/metrics")).text).toContain("flowrun_waiting_requests 1\n");

    server.app.drain();
    const ready = await server.call("GET", "/readyz");
    expect(ready.status).toBe(503);
    expect(ready.json.reasons).toEqual(["the server is shutting down"]);
    expect((await server.call("GET", "/healthz")).status).toBe(200);
    const refused = await server.call("POST", "/v1/flows/echo/runs");
    expect(codeOf(refused)).toBe("shutting-down");
    expect(refused.headers.get("connection")).toBe("close");

    const closed = server.app.close();
    expect((await waiting).json).toMatchObject({ id: waited, status: "queued" });
    await stream.closed;
    commit();
    expect((await submit).status).toBe(202);
    await closed;
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });

  test("does not wait longer than its grace, and can be asked for twice", async () => {
    const server = await startServer({ limits: { closeGraceMs: 100 } });
    const commit = server.store.holdCommits();
    const submit = server.call("POST", "/v1/flows/echo/runs").catch((error: Error) => error);
    await expect.poll(() => server.store.calls.submitRun).toBe(1);
    await Promise.all([server.app.close(), server.app.close()]);
    expect(await submit).toBeInstanceOf(Error);
    commit();
  });
});

test("a port that is taken is a clear error", async () => {
  const server = await startServer();
  const second = await createApp({
    store: server.store,
    validators: { validate: (_schema, value) => ({ value, errors: [] }) },
    adminKey: ADMIN_KEY,
    secrets: () => undefined,
    logger: createLogger({ level: "silent" }),
    version: "0",
  });
  onTestFinished(() => second.close());
  await expect(second.listen({ port: server.port, host: "127.0.0.1" })).rejects.toMatchObject({
    code: "port-in-use",
    message: expect.stringContaining("--port"),
  });
});
