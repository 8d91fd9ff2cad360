import { runEventSchema } from "@flow-run/spec";
import { describe, expect, test } from "vitest";
import { LiveEventHub } from "../../src/server/index.ts";
import { EventReader } from "./event-reader.ts";
import { codeOf, startRun, startServer } from "./test-server.ts";

describe("the event stream of a run", () => {
  test("tells each recorded step once, in order, then the end, and closes", async () => {
    const server = await startServer();
    const id = await startRun(server);
    server.store.recordStep(id, "one");
    const reader = new EventReader(server.port, id);
    await reader.event(0);
    server.store.recordStep(id, "two");
    server.store.recordStep(id, "three");
    server.store.endRun(id, "out");
    await reader.until(() => reader.events.some((event) => event.event === "run-finished"));
    for (const event of reader.events) expect(runEventSchema.parse(event.data)).toEqual(event.data);
    expect(reader.events.map((event) => [event.id, event.event, event.data.step?.path ?? event.data.run.output])).toEqual([
      ["1", "step-finished", "one"],
      ["2", "step-finished", "two"],
      ["3", "step-finished", "three"],
      ["4", "run-finished", "out"],
    ]);
    expect(reader.head).toMatch(/content-type: text\/event-stream/i);
    expect(reader.head).toMatch(/cache-control: no-cache/i);
    await expect.poll(async () => (await server.call("GET", "/metrics")).text).toContain("flowrun_event_streams 0\n");
  });

  test("resumes after the last event that was received", async () => {
    const server = await startServer();
    const id = await startRun(server);
    for (const path of ["one", "two", "three"]) server.store.recordStep(id, path);
    const reader = new EventReader(server.port, id, { "last-event-id": "2" });
    expect((await reader.event(0)).data.step.path).toBe("three");
    server.store.endRun(id);
    expect((await reader.event(1)).id).toBe("4");
    const after = new EventReader(server.port, id, { "last-event-id": "4" });
    await after.opened();
    expect(after.status).toBe(204);
  });

  test.each(["-1", "9e99", "1.5", "abc", "3", "99999999999"])(
    "refuses the Last-Event-ID %s, which is none of this run's",
    async (lastEventId) => {
      const server = await startServer();
      const id = await startRun(server);
      server.store.recordStep(id, "one");
      const answer = await server.call("GET", `/v1/runs/${id}/events`, { headers: { "last-event-id": lastEventId } });
      expect(answer.status).toBe(400);
      expect(codeOf(answer)).toBe("malformed-request");
    },
  );

  test("shows live what happens between the steps, without ids and in order with them", async () => {
    const live = new LiveEventHub();
    const server = await startServer({ live });
    const id = await startRun(server);
    const reader = new EventReader(server.port, id);
    await reader.opened();
    const of = { runId: id, flow: "triage", atMs: Date.now() };
    live.publish({ ...of, type: "step-started", path: "draft", kind: "run" });
    live.publish({ ...of, type: "text-delta", path: "draft", attempt: 1, offset: 0, text: "Hel\nlo" });
    live.publish({ ...of, type: "text-restarted", path: "draft", attempt: 2 });
    live.publish({ ...of, runId: "run_other", type: "text-delta", path: "draft", attempt: 1, offset: 0, text: "not for us" });
    // Announced before it is committed, as the engine does.
    live.publish({ ...of, type: "step-finished", path: "draft", kind: "run", status: "succeeded", seq: 1, error: null, durationMs: 1 });
    live.publish({ ...of, type: "step-started", path: "next", kind: "run" });
    await reader.event(2);
    server.store.recordStep(id, "draft");
    await reader.event(4);
    expect(reader.events.map((event) => [event.id, event.event])).toEqual([
      [null, "step-started"],
      [null, "text-delta"],
      [null, "text-restarted"],
      ["1", "step-finished"],
      [null, "step-started"],
    ]);
    expect(reader.events[1]!.data).toEqual({ type: "text-delta", path: "draft", attempt: 1, offset: 0, text: "Hel\nlo" });
  });

  test("finds steps that another process recorded without a word", async () => {
    const server = await startServer();
    const id = await startRun(server);
    const reader = new EventReader(server.port, id);
    await reader.opened();
    server.store.recordStep(id, "elsewhere");
    expect((await reader.event(0)).data.step.path).toBe("elsewhere");
  });

  test("gives a sign of life when nothing happens", async () => {
    const server = await startServer({ limits: { keepAliveMs: 20 } });
    const id = await startRun(server);
    const reader = new EventReader(server.port, id);
    await reader.until(() => reader.comments >= 2);
    expect(reader.events).toEqual([]);
  });

  test("stays open while the database is away, and goes on when it is back", async () => {
    const server = await startServer();
    const id = await startRun(server);
    const reader = new EventReader(server.port, id);
    await reader.opened();
    server.store.goAway();
    server.store.loseNotifications();
    server.store.comeBack();
    server.store.recordStep(id, "one");
    server.store.endRun(id);
    expect((await reader.event(1)).event).toBe("run-finished");
  });

  test("drops a reader that does not read, at a bounded cost", async () => {
    const live = new LiveEventHub();
    const server = await startServer({ live });
    const id = await startRun(server);
    const reader = new EventReader(server.port, id);
    await reader.opened();
    reader.socket.pause();
    const text = "x".repeat(10_000);
    const heapBefore = process.memoryUsage().rss;
    let sent = 0;
    while (!server.log().includes("reader-too-slow")) {
      live.publish({ runId: id, flow: "triage", atMs: 0, type: "text-delta", path: "draft", attempt: 1, offset: sent, text });
      sent += text.length;
      if (sent % 1_000_000 === 0) await new Promise(setImmediate);
      expect(sent).toBeLessThan(100_000_000);
    }
    expect(process.memoryUsage().rss - heapBefore).toBeLessThan(100_000_000);
    reader.socket.resume();
    await reader.closed;
    const again = new EventReader(server.port, id);
    server.store.endRun(id);
    expect((await again.event(0)).event).toBe("run-finished");
  });

  test("drops a reader that takes nothing of the journal for too long", async () => {
    const server = await startServer({ limits: { keepAliveMs: 50 } });
    const id = await startRun(server);
    for (let i = 0; i < 20; i++) server.store.recordStep(id, `step${i}`, "x".repeat(1_000_000));
    const reader = new EventReader(server.port, id);
    reader.socket.pause();
    await expect.poll(() => server.log(), { timeout: 5_000 }).toContain("reader-too-slow");
  });

  test("sends a journal larger than its buffer to a reader that reads", async () => {
    const server = await startServer();
    const id = await startRun(server);
    for (let i = 0; i < 5; i++) server.store.recordStep(id, `step${i}`, "x".repeat(1_000_000));
    server.store.endRun(id);
    const response = await fetch(`${server.url}/v1/runs/${id}/events`, { headers: { authorization: "Bearer frk_admin-key-of-the-tests" } });
    const text = await response.text();
    expect(text.match(/^id: \d$/gm)).toEqual(["id: 1", "id: 2", "id: 3", "id: 4", "id: 5", "id: 6"]);
  });

  test("is limited in number for each key", async () => {
    const server = await startServer({ limits: { streamsPerKey: 2 } });
    const id = await startRun(server);
    const open = [new EventReader(server.port, id), new EventReader(server.port, id)];
    await Promise.all(open.map((reader) => reader.opened()));
    const refused = await server.call("GET", `/v1/runs/${id}/events`);
    expect(refused.status).toBe(429);
    expect(codeOf(refused)).toBe("rate-limited");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    open[0]!.socket.destroy();
    await expect.poll(async () => (await server.call("GET", "/metrics")).text).toContain("flowrun_event_streams 1\n");
    const third = new EventReader(server.port, id);
    await third.opened();
    expect(third.status).toBe(200);
  });

  test("ends when its key is revoked", async () => {
    const server = await startServer({ limits: { keepAliveMs: 20 } });
    const id = await startRun(server);
    const { json } = await server.call("POST", "/v1/keys", { body: { name: "watcher", scopes: ["read"] } });
    const reader = new EventReader(server.port, id, { authorization: `Bearer ${json.key}` });
    await reader.opened();
    expect(reader.status).toBe(200);
    await server.call("DELETE", `/v1/keys/${json.id}`);
    await reader.closed;
  });
});
