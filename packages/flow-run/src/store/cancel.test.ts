import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { claimOnly, endRun, expireLease, newRun, step, submitAndClaim } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { openStore, type Store } from "./index.ts";

describeEachDatabase("cancelling", (open) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
  });
  afterAll(() => store.close());

  it("ends a queued run, which is then never started", async () => {
    const { run } = await store.submitRun(newRun());
    const told = new Promise<readonly string[] | null>((resolve) => store.onEnded((ids) => ids?.includes(run.id) && resolve(ids)));
    expect(await store.cancelRun("dev", run.id)).toMatchObject({
      id: run.id,
      status: "cancelled",
      finishedAt: expect.any(String),
      startedAt: null,
    });
    expect(await told).toEqual([run.id]);
    expect(await store.claimRuns(10)).toEqual([]);
  });

  it("ends a running run and fences its owner", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    journal.appendStep(step("a"));
    await journal.commit();
    expect(await store.cancelRun("dev", run.id)).toMatchObject({ status: "cancelled" });
    journal.appendEnd({ status: "succeeded", output: 1, error: null });
    await expect(journal.commit()).rejects.toMatchObject({ code: "fenced" });
    expect(await store.getRun("dev", run.id)).toMatchObject({ status: "cancelled", output: null });
  });

  it("ends a run between two owners, and nobody takes it again", async () => {
    const run = await submitAndClaim(store);
    await expireLease(database, run.id);
    await store.cancelRun("dev", run.id);
    expect(await store.claimRuns(10)).toEqual([]);
    expect(await store.requeueOrphans()).toBe(0);
  });

  it("ends a run that was handed back", async () => {
    const run = await submitAndClaim(store);
    await store.releaseRuns([run]);
    await store.cancelRun("dev", run.id);
    expect(await store.claimRuns(10)).toEqual([]);
  });

  it("refuses for every way to have ended, and changes nothing", async () => {
    for (const status of ["succeeded", "failed", "cancelled"] as const) {
      const run = await submitAndClaim(store);
      const journal = store.journal(run);
      journal.appendEnd({
        status,
        output: null,
        error: status === "failed" ? { code: "x", message: "y", step: null, retryable: false } : null,
      });
      await journal.commit();
      const before = await store.getRun("dev", run.id);
      await expect(store.cancelRun("dev", run.id)).rejects.toMatchObject({ code: "not-cancellable" });
      expect(await store.getRun("dev", run.id)).toEqual(before);
    }
  });

  it("finds no run of another environment, none that is unknown, and none with an impossible name", async () => {
    const { run } = await store.submitRun(newRun());
    expect(await store.cancelRun("prod", run.id)).toBeNull();
    expect(await store.cancelRun("dev", "nobody")).toBeNull();
    expect(await store.cancelRun("dev", "\u0000")).toBeNull();
    await endRun(store, await claimOnly(store, run.id));
  });

  it("has one winner when it meets the end, and the end stays", async () => {
    for (let i = 0; i < 10; i++) {
      const run = await submitAndClaim(store);
      const results = await Promise.allSettled([endRun(store, run), store.cancelRun("dev", run.id)]);
      const after = await store.getRun("dev", run.id);
      const [ended, cancelled] = results.map((result) => result.status === "fulfilled");
      expect([ended, cancelled]).toEqual(after?.status === "succeeded" ? [true, false] : [false, true]);
    }
  });
});
