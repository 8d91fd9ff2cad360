import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { claimOnly, endRun, newRun } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { openStore, type Store } from "./index.ts";

describeEachDatabase("submitting runs", (open) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
  });
  afterAll(() => store.close());

  async function emptyQueue(): Promise<void> {
    for (const run of await store.claimRuns(1_000)) await endRun(store, run);
  }

  it("answers with the queued run, which can be read at once and is one job in the queue", async () => {
    const asked = newRun({
      tags: ["vip", 'odd "quotes" \\ and {braces}, commas'],
      input: { z: 1, a: [null, "ü", { deep: true }] },
      priority: 3,
    });
    const { run, replayed } = await store.submitRun(asked);
    expect(replayed).toBe(false);
    expect(run).toEqual({
      id: asked.id,
      flow: "triage",
      kind: "task",
      environment: "dev",
      release: 1,
      status: "queued",
      input: asked.input,
      output: null,
      error: null,
      usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, calls: 0, cacheHits: 0 },
      costUsd: 0,
      unpricedCalls: 0,
      replayOf: null,
      feedbackCount: 0,
      tags: asked.tags,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      startedAt: null,
      finishedAt: null,
    });
    expect(await store.getRun("dev", asked.id)).toEqual(run);
    expect(await store.queueDepth()).toEqual({ queued: 1, oldestSeconds: expect.any(Number) });
    const claimed = await claimOnly(store, asked.id);
    expect(JSON.stringify(claimed.input)).toBe(JSON.stringify(asked.input));
    await endRun(store, claimed);
  });

  it("makes one run of a hundred simultaneous requests with the same idempotency key", async () => {
    const asked = Array.from({ length: 100 }, () => newRun({ idempotencyKey: "order-17" }));
    const answers = await Promise.all(asked.map((run) => store.submitRun(run)));
    expect(new Set(answers.map(({ run }) => run.id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    const again = await store.submitRun(newRun({ idempotencyKey: "order-17" }));
    expect(again).toMatchObject({ replayed: true, run: { id: answers[0]?.run.id } });
    expect((await store.queueDepth()).queued).toBe(1);
    await emptyQueue();
  });

  it("refuses a key that was used for another request, and takes it in another environment", async () => {
    const first = await store.submitRun(newRun({ idempotencyKey: "reused" }));
    await expect(store.submitRun(newRun({ idempotencyKey: "reused", fingerprint: "0".repeat(64) }))).rejects.toMatchObject({
      code: "idempotency-key-reused",
    });
    const elsewhere = await store.submitRun(newRun({ idempotencyKey: "reused", environment: "staging" }));
    expect(elsewhere.replayed).toBe(false);
    expect(elsewhere.run.id).not.toBe(first.run.id);
    await emptyQueue();
  });

  it("says of a repeated submit of one and the same run that it is not a replay", async () => {
    const asked = newRun({ idempotencyKey: "lost-answer" });
    await store.submitRun(asked);
    expect(await store.submitRun(asked)).toMatchObject({ replayed: false, run: { id: asked.id } });
    expect((await store.queueDepth()).queued).toBe(1);
    await emptyQueue();
  });

  it("refuses input that no database can store, without failing the others of the same moment", async () => {
    const good = [newRun(), newRun(), newRun()];
    const bad = [newRun({ input: { text: "a\u0000b" } }), newRun({ input: { "\ud800": 1 } }), newRun({ tags: ["\u0000"] })];
    const results = await Promise.allSettled([...good, ...bad].map((run) => store.submitRun(run)));
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected", "rejected"]);
    for (const result of results.slice(3)) expect(result).toMatchObject({ reason: { code: "not-storable" } });
    expect(await store.getRun("dev", bad[0]?.id as string)).toBeNull();
    await emptyQueue();
  });

  it("fails only the run that the database itself refuses", async () => {
    const good = [newRun(), newRun(), newRun(), newRun()];
    const culprit = newRun({ kind: "nonsense" as "task" });
    const results = await Promise.allSettled([good[0], good[1], culprit, good[2], good[3]].map((run) => store.submitRun(run!)));
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(results[2]).toMatchObject({ reason: { code: "not-storable" } });
    expect((await store.queueDepth()).queued).toBe(4);
    await emptyQueue();
  });

  it("hands out higher priorities first, then older runs", async () => {
    const low = newRun({ priority: -5 });
    const early = newRun();
    const late = newRun();
    const high = newRun({ priority: 50 });
    for (const run of [low, early, late, high]) await store.submitRun(run);
    const order: string[] = [];
    for (let i = 0; i < 4; i++) {
      const [run] = await store.claimRuns(1);
      order.push(run!.id);
      await endRun(store, run!);
    }
    expect(order).toEqual([high.id, early.id, late.id, low.id]);
  });

  it("wakes waiting workers here and in another process once for many runs", async () => {
    const other = await openStore({ database, onlyProcess: false });
    let here = 0;
    let stop = () => {};
    const woken = new Promise<void>((resolve) => other.onQueued(resolve));
    const wokenHere = new Promise<void>((resolve) => {
      stop = store.onQueued(() => {
        here++;
        resolve();
      });
    });
    await Promise.all(Array.from({ length: 40 }, () => store.submitRun(newRun())));
    await Promise.all([woken, wokenHere]);
    expect(here).toBe(1);
    stop();
    await store.submitRun(newRun());
    expect(here).toBe(1);
    await other.close();
    await emptyQueue();
  });
});
