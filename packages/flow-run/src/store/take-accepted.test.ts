import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { claimOnly, endRun, expireLease, newRun } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { type ClaimedRun, openStore, type RunTaker, type Store } from "./index.ts";

/** Has room for so many. */
class Taker implements RunTaker {
  readonly taken: ClaimedRun[] = [];
  reserved = 0;
  private readonly room: number;

  constructor(room: number) {
    this.room = room;
  }

  reserve(most: number): number {
    const room = Math.min(most, this.room);
    this.reserved += room;
    return room;
  }

  take(runs: readonly ClaimedRun[], reserved: number): void {
    this.reserved -= reserved;
    this.taken.push(...runs);
  }
}

describeEachDatabase("runs that are executed by whoever accepts them", (open) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
  });
  beforeEach(async () => {
    for (const run of await store.claimRuns(100)) await endRun(store, run);
  });
  afterAll(() => store.close());

  async function submitTo(taker: Taker, count: number, over: object = {}) {
    const stop = store.takeAccepted(taker);
    const runs = Array.from({ length: count }, () => newRun(over));
    const submitted = await Promise.all(runs.map((run) => store.submitRun(run)));
    stop();
    return { runs, submitted };
  }

  it("are handed over with their submit as a claim would hand them over, and to nobody else", async () => {
    const taker = new Taker(10);
    const { runs, submitted } = await submitTo(taker, 1, { input: { ticket: "a" }, tags: ["t"] });
    expect(submitted[0]).toMatchObject({ replayed: false, run: { id: runs[0]!.id, status: "queued" } });
    const [taken] = taker.taken as [ClaimedRun];
    expect(taker.reserved).toBe(0);
    expect(await store.claimRuns(10)).toEqual([]);
    expect(await store.getRun("dev", taken.id)).toMatchObject({ status: "running", startedAt: new Date(taken.startedAtMs).toISOString() });

    await store.releaseRuns([taken]);
    const claimed = await claimOnly(store, taken.id);
    const { epoch, jobId, elapsedMs, ...same } = taken;
    expect(claimed).toMatchObject({ ...same, epoch: epoch + 1, elapsedMs: expect.any(Number) });
    await endRun(store, claimed);
  });

  it("go to the queue where there is no room for them, and wake whoever has some", async () => {
    const taker = new Taker(2);
    let woken = 0;
    const stop = store.onQueued(() => woken++);
    const { runs } = await submitTo(taker, 5);
    stop();
    expect(taker.taken.map((run) => run.id)).toEqual(runs.slice(0, 2).map((run) => run.id));
    expect(woken).toBe(1);
    const claimed = await store.claimRuns(10);
    expect(claimed.map((run) => run.id).sort()).toEqual(
      runs
        .slice(2)
        .map((run) => run.id)
        .sort(),
    );
    for (const run of [...taker.taken, ...claimed]) await endRun(store, run);
  });

  it("are held by a lease like any other, and go on elsewhere when it is lost", async () => {
    const taker = new Taker(2);
    await submitTo(taker, 2);
    expect(await store.heartbeat(taker.taken)).toEqual([]);
    const [kept, lost] = taker.taken as [ClaimedRun, ClaimedRun];
    await expireLease(database, lost.id);
    expect(await store.heartbeat(taker.taken)).toEqual([lost.id]);
    const again = await claimOnly(store, lost.id);
    expect(again).toMatchObject({ id: lost.id, epoch: 2 });
    await expect(endRun(store, lost)).rejects.toMatchObject({ code: "fenced" });
    for (const run of [kept, again]) await endRun(store, run);
  });

  it("are not taken a second time by a repeated request", async () => {
    const taker = new Taker(10);
    const run = newRun({ idempotencyKey: "once" });
    const stop = store.takeAccepted(taker);
    await store.submitRun(run);
    expect(await store.submitRun({ ...newRun(), idempotencyKey: "once", fingerprint: run.fingerprint })).toMatchObject({
      replayed: true,
      run: { id: run.id },
    });
    stop();
    expect(taker.taken.map(({ id }) => id)).toEqual([run.id]);
    await endRun(store, taker.taken[0]!);
  });

  it("stand in line when their flow is limited", async () => {
    await store.deploy({
      environment: "dev",
      bundle: { flows: { narrow: { concurrency: 1 } }, environments: {} },
      hash: "limited",
      author: null,
      message: null,
      commit: null,
    });
    const taker = new Taker(10);
    const { runs } = await submitTo(taker, 2, { flow: "narrow" });
    expect(taker.taken).toEqual([]);
    const claimed = await store.claimRuns(10);
    expect(claimed.map(({ id }) => id)).toEqual([runs[0]!.id]);
    await endRun(store, claimed[0]!);
    await endRun(store, (await store.claimRuns(10))[0]!);
  });
});
