import type { Run } from "@flow-run/spec";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import {
  attemptEnd,
  attemptStart,
  claimOnly,
  expireLease,
  newRun,
  step,
  submitAndClaim,
  USAGE,
} from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { openStore, type Store } from "./index.ts";

describeEachDatabase("the journal", (open) => {
  let database: Database;
  let store: Store;
  /** Another worker on the same database. */
  let other: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
    other = await openStore({ database, onlyProcess: false });
  });
  afterAll(async () => {
    await store.close();
    await other.close();
  });

  const read = async (id: string): Promise<Run> => (await store.getRun("dev", id))!;

  it("records steps, calls and the end, and gives them back as they were written", async () => {
    const run = await submitAndClaim(store);
    expect(run).toMatchObject({ epoch: 1, steps: [], attempts: {}, flow: "triage", release: 1 });
    expect(run.startedAtMs).toBeGreaterThanOrEqual(run.createdAtMs);
    const journal = store.journal(run);
    journal.appendAttemptStart(attemptStart("a1"));
    await journal.commit();
    expect(await read(run.id)).toMatchObject({ status: "running", startedAt: expect.any(String) });
    expect(await store.listSteps("dev", run.id)).toMatchObject([
      { path: "draft", status: "running", seq: null, attempts: [{ status: "started" }] },
    ]);
    journal.appendAttemptEnd(attemptEnd("a1"));
    journal.appendStep(step("draft", { output: { z: 1, a: "ü😀" } }));
    journal.appendStep(step("skipped", { seq: 2, status: "skipped", input: null, output: null }));
    journal.appendEnd({ status: "succeeded", output: { z: [1, null], a: "text" }, error: null });
    await journal.commit();
    const ended = await read(run.id);
    expect(ended).toMatchObject({ status: "succeeded", usage: { ...USAGE, calls: 1 }, costUsd: 0.0000015, unpricedCalls: 0, error: null });
    expect(JSON.stringify(ended.output)).toBe('{"z":[1,null],"a":"text"}');
    expect(Date.parse(ended.finishedAt!)).toBeGreaterThanOrEqual(Date.parse(ended.createdAt));
    expect(await store.listSteps("dev", run.id)).toEqual([
      {
        path: "draft",
        seq: 1,
        kind: "run",
        status: "succeeded",
        input: { a: 1 },
        output: { z: 1, a: "ü😀" },
        error: null,
        startedAt: new Date(1_790_000_000_123).toISOString(),
        finishedAt: new Date(1_790_000_000_456).toISOString(),
        copied: false,
        waitsFor: null,
        attempts: [
          {
            id: "a1",
            number: 1,
            status: "succeeded",
            provider: "sim",
            model: "simulator",
            usage: USAGE,
            rawUsage: { prompt_tokens: 105 },
            priceVersion: "2026-11-01",
            costUsd: 0.0000015,
            cached: false,
            error: null,
            finishReason: "stop",
            timeToFirstTokenMs: 12.5,
            startedAt: new Date(1_790_000_000_200).toISOString(),
            finishedAt: new Date(1_790_000_000_400).toISOString(),
          },
        ],
      },
      expect.objectContaining({ path: "skipped", status: "skipped", attempts: [] }),
    ]);
  });

  it("gives the next owner the finished steps, and how often unfinished ones were tried", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    const failure = { code: "x", message: "no", step: "b", retryable: false };
    journal.appendStep(step("a", { output: { z: 1, a: 2 } }));
    journal.appendStep(step("b", { seq: 2, status: "failed", output: null, error: failure }));
    for (const number of [1, 2]) journal.appendAttemptStart(attemptStart(`c${number}`, { stepPath: "c", number }));
    journal.appendAttemptStart(attemptStart("a1", { stepPath: "a" }));
    await journal.commit();
    await expireLease(database, run.id);
    const again = await claimOnly(other, run.id);
    expect(again.epoch).toBe(2);
    expect(again.startedAtMs).toBe(run.startedAtMs);
    expect(again.attempts).toEqual({ c: 2 });
    expect(again.steps).toEqual([
      step("a", { output: { z: 1, a: 2 } }),
      step("b", { seq: 2, status: "failed", output: null, error: failure }),
    ]);
    expect(JSON.stringify(again.steps[0]?.output)).toBe('{"z":1,"a":2}');
    await store.cancelRun("dev", run.id);
  });

  it("refuses everything of a former owner but the bill", async () => {
    const run = await submitAndClaim(store);
    const old = store.journal(run);
    old.appendAttemptStart(attemptStart("old", { stepPath: "draft" }));
    await old.commit();
    await expireLease(database, run.id);
    const next = await claimOnly(other, run.id);
    expect(await read(run.id)).toMatchObject({ usage: { calls: 1 }, unpricedCalls: 1, costUsd: null });
    expect(await store.listSteps("dev", run.id)).toMatchObject([{ attempts: [{ status: "unknown", costUsd: null }] }]);

    old.appendAttemptEnd(attemptEnd("old"));
    old.appendStep(step("draft"));
    old.appendAttemptStart(attemptStart("never-sent", { stepPath: "next" }));
    old.appendEnd({ status: "succeeded", output: "from the past", error: null });
    await expect(old.commit()).rejects.toMatchObject({ code: "fenced" });
    expect(await read(run.id)).toMatchObject({
      status: "running",
      output: null,
      usage: { ...USAGE, calls: 1 },
      unpricedCalls: 0,
      costUsd: 0.0000015,
    });
    const steps = await store.listSteps("dev", run.id);
    expect(steps).toMatchObject([{ path: "draft", status: "running", attempts: [{ status: "succeeded" }] }]);
    expect(steps).toHaveLength(1);

    const journal = other.journal(next);
    journal.appendStep(step("draft", { output: "of the owner" }));
    journal.appendEnd({ status: "succeeded", output: "of the owner", error: null });
    await journal.commit();
    expect(await read(run.id)).toMatchObject({ status: "succeeded", output: "of the owner" });
  });

  it("books a late bill after the run has ended, and each bill once", async () => {
    const run = await submitAndClaim(store);
    const old = store.journal(run);
    old.appendAttemptStart(attemptStart("late"));
    await old.commit();
    await store.cancelRun("dev", run.id);
    expect(await read(run.id)).toMatchObject({ status: "cancelled", usage: { calls: 1 }, unpricedCalls: 1, costUsd: null });
    for (let i = 0; i < 3; i++) {
      old.appendAttemptEnd(attemptEnd("late"));
      await expect(old.commit()).rejects.toMatchObject({ code: "fenced" });
    }
    expect(await read(run.id)).toMatchObject({ status: "cancelled", usage: { ...USAGE, calls: 1 }, unpricedCalls: 0, costUsd: 0.0000015 });
  });

  it("counts calls without a known price, whatever their tokens", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    for (const id of ["priced", "unpriced", "no-usage"]) journal.appendAttemptStart(attemptStart(id));
    await journal.commit();
    journal.appendAttemptEnd(attemptEnd("priced"));
    journal.appendAttemptEnd(attemptEnd("unpriced", { costNanoUsd: null, priceVersion: null }));
    journal.appendAttemptEnd(
      attemptEnd("no-usage", {
        status: "failed",
        usage: null,
        rawUsage: null,
        costNanoUsd: null,
        error: { code: "timeout", message: "late", retryable: true },
      }),
    );
    await journal.commit();
    expect(await read(run.id)).toMatchObject({ usage: { inputTokens: 200, calls: 3 }, unpricedCalls: 2, costUsd: null });
    await store.cancelRun("dev", run.id);
  });

  it("repeats of what an owner has already written change nothing and are not refused", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    const write = () => {
      journal.appendStep(step("draft"));
      journal.appendEnd({ status: "succeeded", output: 1, error: null });
      return journal.commit();
    };
    journal.appendAttemptStart(attemptStart("a"));
    await journal.commit();
    journal.appendAttemptEnd(attemptEnd("a"));
    await write();
    const before = await read(run.id);
    journal.appendAttemptEnd(attemptEnd("a"));
    await write();
    expect(await read(run.id)).toEqual(before);
  });

  it("begins and ends a call in one commit", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    journal.appendAttemptStart(attemptStart("quick"));
    journal.appendAttemptEnd(attemptEnd("quick", { status: "failed", usage: null, costNanoUsd: 0 }));
    journal.appendEnd({ status: "failed", output: null, error: { code: "x", message: "y", step: null, retryable: false } });
    await journal.commit();
    expect(await read(run.id)).toMatchObject({ status: "failed", usage: { calls: 1 }, unpricedCalls: 0, costUsd: 0, error: { code: "x" } });
  });

  it("keeps text that the database refuses as U+FFFD, so that the step ends either way", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    journal.appendStep(step("odd", { output: { "k\u0000": "a\u0000b\ud800c", fine: "\\u0000 😀" } }));
    journal.appendEnd({ status: "succeeded", output: "\udc00", error: null });
    await journal.commit();
    expect(await store.listSteps("dev", run.id)).toMatchObject([{ output: { "k\uFFFD": "a\uFFFDb\uFFFDc", fine: "\\u0000 😀" } }]);
    expect((await read(run.id)).output).toBe("\uFFFD");
  });

  it("fails only the commit that cannot be stored, and books its calls all the same", async () => {
    const asked = [newRun(), newRun(), newRun()];
    await Promise.all(asked.map((run) => store.submitRun(run)));
    const runs = await store.claimRuns(10);
    const journals = runs.map((run) => store.journal(run));
    for (const [index, journal] of journals.entries()) journal.appendAttemptStart(attemptStart(`n${index}`));
    await Promise.all(journals.map((journal) => journal.commit()));
    for (const [index, journal] of journals.entries()) {
      journal.appendAttemptEnd(attemptEnd(`n${index}`));
      journal.appendStep(step("draft", index === 1 ? { status: "no such status" as "failed" } : {}));
    }
    const results = await Promise.allSettled(journals.map((journal) => journal.commit()));
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: { code: "not-storable" } });
    await journals[1]!.commit();
    journals[1]!.appendEnd({
      status: "failed",
      output: null,
      error: { code: "not-storable", message: "", step: "draft", retryable: false },
    });
    await journals[1]!.commit();
    expect(await read(runs[1]!.id)).toMatchObject({ status: "failed", usage: { calls: 1 }, costUsd: 0.0000015 });
    expect(await store.listSteps("dev", runs[1]!.id)).toMatchObject([{ status: "cancelled", attempts: [{ status: "succeeded" }] }]);
    for (const run of [runs[0]!, runs[2]!]) {
      expect(await store.listSteps("dev", run.id)).toMatchObject([{ path: "draft", status: "succeeded" }]);
      await store.cancelRun("dev", run.id);
    }
  });

  it("refuses values that are too large or nested too deeply to be written, and goes on", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    let deep: unknown = 1;
    for (let i = 0; i < 200_000; i++) deep = [deep];
    expect(() => journal.appendStep(step("deep", { output: deep as never }))).toThrow(expect.objectContaining({ code: "too-nested" }));
    expect(() => journal.appendStep(step("large", { input: "x".repeat(16_000_000) }))).toThrow(
      expect.objectContaining({ code: "too-large" }),
    );
    expect(() => journal.appendEnd({ status: "succeeded", output: deep as never, error: null })).toThrow("The output of the run is nested");
    journal.appendEnd({ status: "failed", output: null, error: { code: "too-nested", message: "", step: "deep", retryable: false } });
    await journal.commit();
    expect((await read(run.id)).status).toBe("failed");
  });

  it("tells of ended runs here and in another process, after the commit has resolved", async () => {
    const run = await submitAndClaim(store);
    const order: string[] = [];
    let stop = () => {};
    const here = new Promise<void>((resolve) => {
      stop = store.onEnded((ids) => {
        order.push(`here ${ids?.join()}`);
        resolve();
      });
    });
    const elsewhere = new Promise<readonly string[] | null>((resolve) => other.onEnded((ids) => ids?.includes(run.id) && resolve(ids)));
    const journal = store.journal(run);
    journal.appendEnd({ status: "succeeded", output: null, error: null });
    await journal.commit();
    order.push("committed");
    await here;
    expect(await elsewhere).toEqual([run.id]);
    expect(order).toEqual(["committed", `here ${run.id}`]);
    stop();
  });

  it("serves two owners of one run in one process in the same moment", async () => {
    const run = await submitAndClaim(store);
    const old = store.journal(run);
    old.appendAttemptStart(attemptStart("first"));
    await old.commit();
    await expireLease(database, run.id);
    const next = store.journal(await claimOnly(store, run.id));
    old.appendAttemptEnd(attemptEnd("first"));
    old.appendStep(step("draft", { output: "old" }));
    next.appendAttemptStart(attemptStart("second", { number: 2 }));
    next.appendStep(step("draft", { output: "next" }));
    const results = await Promise.allSettled([old.commit(), next.commit()]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled"]);
    expect(await store.listSteps("dev", run.id)).toMatchObject([
      { output: "next", attempts: [{ status: "succeeded" }, { status: "started" }] },
    ]);
    await store.cancelRun("dev", run.id);
  });
});
