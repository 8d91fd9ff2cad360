import { runListSchema, runSchema, stepListSchema } from "@flow-run/spec";
import { describe, expect, test } from "vitest";
import { codeOf, startRun, startServer } from "./test-server.ts";

describe("a run", () => {
  test("is what the wire contract says, with Retry-After until it has ended", async () => {
    const server = await startServer();
    const id = await startRun(server);
    const queued = await server.call("GET", `/v1/runs/${id}`);
    expect(runSchema.strict().parse(queued.json)).toMatchObject({ id, status: "queued" });
    expect(queued.headers.get("retry-after")).toBe("1");
    server.store.endRun(id, { category: "bug" });
    const ended = await server.call("GET", `/v1/runs/${id}`);
    expect(ended.json).toMatchObject({ status: "succeeded", output: { category: "bug" } });
    expect(ended.headers.get("retry-after")).toBeNull();
  });

  test("that has not changed is not sent again to who knows its ETag", async () => {
    const server = await startServer();
    const id = await startRun(server);
    const etag = (await server.call("GET", `/v1/runs/${id}`)).headers.get("etag")!;
    for (const known of [etag, `"other", ${etag}`, etag.replace("W/", ""), "*"]) {
      const answer = await server.call("GET", `/v1/runs/${id}`, { headers: { "if-none-match": known } });
      expect(`${known} ${answer.status} ${answer.text}`).toBe(`${known} 304 `);
    }
    server.store.startRun(id);
    expect((await server.call("GET", `/v1/runs/${id}`, { headers: { "if-none-match": etag } })).status).toBe(200);
  });

  test("of another environment is answered as one that never was, to the last byte", async () => {
    const server = await startServer();
    const id = await startRun(server);
    const unknown = `${id.slice(0, -4)}zzzz`;
    for (const [method, suffix] of [
      ["GET", ""],
      ["GET", "?wait=1"],
      ["GET", "/steps"],
      ["GET", "/events"],
      ["POST", "/cancel"],
      ["POST", "/replay"],
    ] as const) {
      const foreign = await server.call(method, `/v1/runs/${id}${suffix}`, { environment: "prod" });
      const missing = await server.call(method, `/v1/runs/${unknown}${suffix}`, { environment: "prod" });
      expect(codeOf(foreign)).toBe("run-not-found");
      expect(foreign.text).toBe(missing.text);
      const comparable = (headers: Headers) => [...headers.keys()].sort();
      expect(comparable(foreign.headers)).toEqual(comparable(missing.headers));
    }
    expect((await server.call("GET", "/v1/runs", { environment: "prod" })).json.runs).toEqual([]);
  });

  test("that is large is sent compressed to who can take it", async () => {
    const server = await startServer();
    const id = await startRun(server);
    server.store.endRun(id, "long ".repeat(1_000));
    const answer = await server.call("GET", `/v1/runs/${id}`, { headers: { "accept-encoding": "gzip" } });
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    expect(answer.json.output).toHaveLength(5_000);
    const plain = await server.call("GET", `/v1/runs/${id}`, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(plain.headers.get("etag")).toBe(answer.headers.get("etag"));
  });

  test("shows its steps in the shape of the wire contract", async () => {
    const server = await startServer();
    const id = await startRun(server);
    server.store.recordStep(id, "draft", "text");
    const answer = await server.call("GET", `/v1/runs/${id}/steps`);
    expect(stepListSchema.parse(answer.json)).toEqual(answer.json);
    expect(answer.json.steps).toMatchObject([{ path: "draft", seq: 1 }]);
  });
});

describe("waiting for a run", () => {
  test("is answered as soon as it ends, and reads the database twice in all", async () => {
    const server = await startServer();
    const id = await startRun(server);
    const waiting = server.call("GET", `/v1/runs/${id}?wait=30`);
    await expect.poll(() => server.store.calls.getRun).toBe(1);
    server.store.endRun(id, "done");
    expect((await waiting).json).toMatchObject({ status: "succeeded", output: "done" });
    expect(server.store.calls.getRun).toBe(2);
  });

  test("is answered with the unfinished run when the time is over", async () => {
    const server = await startServer();
    const id = await startRun(server);
    const answer = await server.call("GET", `/v1/runs/${id}?wait=0.05`);
    expect(answer.json.status).toBe("queued");
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(Number(answer.headers.get("x-flow-run-overhead-ms"))).toBeLessThan(50);
  });

  test("notices an end whose notification was lost once the connection is back", async () => {
    const server = await startServer();
    const ids = [await startRun(server), await startRun(server)];
    const waiting = ids.map((id) => server.call("GET", `/v1/runs/${id}?wait=30`));
    await expect.poll(() => server.store.calls.getRun).toBe(2);
    server.store.endRun(ids[0]!, "done", { quietly: true });
    server.store.loseNotifications();
    expect((await waiting[0]!).json.status).toBe("succeeded");
    server.store.endRun(ids[1]!, "later");
    expect((await waiting[1]!).json.output).toBe("later");
  });

  test("for more than a minute is taken as a minute, for a run that has ended as none", async () => {
    const server = await startServer({ limits: { waitSeconds: 0.05 } });
    const id = await startRun(server);
    expect((await server.call("GET", `/v1/runs/${id}?wait=9999`)).json.status).toBe("queued");
    server.store.endRun(id);
    expect((await server.call("GET", `/v1/runs/${id}?wait=60`)).json.status).toBe("succeeded");
  });

  test("ends when the caller goes away", async () => {
    const server = await startServer();
    const id = await startRun(server);
    const gone = new AbortController();
    const waiting = fetch(`${server.url}/v1/runs/${id}?wait=60`, {
      headers: { authorization: "Bearer frk_admin-key-of-the-tests" },
      signal: gone.signal,
    });
    await expect.poll(() => server.store.calls.getRun).toBe(1);
    gone.abort();
    await expect(waiting).rejects.toThrow();
    await expect.poll(async () => (await server.call("GET", "/metrics")).text).toContain("flowrun_waiting_requests 0\n");
  });
});

describe("lists of runs", () => {
  test("are newest first, filtered, and paged by cursor", async () => {
    const server = await startServer();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift(await startRun(server, { flow: "echo", body: { tags: i % 2 ? ["odd"] : [] } }));
    await startRun(server, { flow: "triage" });
    const first = await server.call("GET", "/v1/runs?flow=echo&limit=3");
    expect(runListSchema.parse(first.json)).toEqual(first.json);
    expect(first.json.runs.map((run: { id: string }) => run.id)).toEqual(ids.slice(0, 3));
    const second = await server.call("GET", `/v1/runs?flow=echo&limit=3&cursor=${first.json.nextCursor}`);
    expect(second.json.runs.map((run: { id: string }) => run.id)).toEqual(ids.slice(3));
    expect(second.json.nextCursor).toBeNull();
    expect((await server.call("GET", "/v1/runs?tag=odd")).json.runs).toHaveLength(2);
    server.store.endRun(ids[0]!);
    expect((await server.call("GET", "/v1/runs?status=succeeded")).json.runs).toMatchObject([{ id: ids[0] }]);
  });
});

describe("cancelling and replaying", () => {
  test("a cancelled run has ended, and cannot be cancelled again", async () => {
    const server = await startServer();
    const id = await startRun(server);
    expect((await server.call("POST", `/v1/runs/${id}/cancel`)).json).toMatchObject({ id, status: "cancelled" });
    const again = await server.call("POST", `/v1/runs/${id}/cancel`, { body: {} });
    expect(again.status).toBe(409);
    expect(codeOf(again)).toBe("not-cancellable");
  });

  test("a replay is a new run with the same input, on the current release or the run's own", async () => {
    const server = await startServer();
    const id = await startRun(server, { body: { input: { ticket: "again" }, tags: ["t"] } });
    const { testBundle } = await import("./test-bundle.ts");
    await server.call("POST", "/v1/releases", { body: { bundle: testBundle({ project: "changed" }) } });
    const current = await server.call("POST", `/v1/runs/${id}/replay`);
    expect(current.status).toBe(202);
    expect(current.json).toMatchObject({ flow: "triage", release: 2 });
    expect(current.json.id).not.toBe(id);
    expect(server.store.runs.get(current.json.id)?.run).toMatchObject({ input: { ticket: "again", tone: "kind" }, tags: ["t"] });
    expect((await server.call("POST", `/v1/runs/${id}/replay`, { body: { release: "same" } })).json.release).toBe(1);
    expect((await server.call("POST", `/v1/runs/${id}/replay`, { body: { release: 2 } })).json.release).toBe(2);
    expect(codeOf(await server.call("POST", `/v1/runs/${id}/replay`, { body: { release: "newest" } }))).toBe("invalid-input");
  });

  test("a replay with an Idempotency-Key happens once, and shares no keys with starts", async () => {
    const server = await startServer();
    const headers = { "idempotency-key": "k" };
    const id = await startRun(server, { headers });
    const first = await server.call("POST", `/v1/runs/${id}/replay`, { headers });
    expect(first.status).toBe(202);
    const second = await server.call("POST", `/v1/runs/${id}/replay`, { headers });
    expect(second.text).toBe(first.text);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(server.store.runs.size).toBe(2);
  });
});
