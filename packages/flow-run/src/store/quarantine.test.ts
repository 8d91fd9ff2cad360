import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { endRun, expireLease, newRun, step } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { type ClaimedRun, openStore, type Store } from "./index.ts";

describeEachDatabase("runs that are claimed again without progress", (open) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
  });
  beforeEach(async () => {
    await database.exec("DELETE FROM flow_run.run; DELETE FROM pgboss.job").catch(() => {});
    store = await openStore({ database });
    return () => store.close();
  });
  afterAll(() => database.close());

  const ids = (runs: readonly { id: string }[]) => runs.map((run) => run.id);

  async function submit(count: number, over: object = {}): Promise<string[]> {
    const runs = Array.from({ length: count }, () => newRun(over));
    await Promise.all(runs.map((run) => store.submitRun(run)));
    return ids(runs);
  }

  const die = (runs: readonly ClaimedRun[]) => Promise.all(runs.map((run) => expireLease(database, run.id)));

  /** Claimed twice by workers that died at once. */
  async function suspects(count: number): Promise<string[]> {
    const submitted = await submit(count);
    for (let life = 0; life < 2; life++) {
      const claimed = await store.claimRuns(1_000);
      expect(claimed.map((run) => run.suspect)).toEqual(claimed.map(() => false));
      await die(claimed);
    }
    return submitted;
  }

  it("are handed out one by one, beside any number of others", async () => {
    const suspected = await suspects(4);
    const others = await submit(3);
    const claimed = await store.claimRuns(100);
    expect(ids(claimed.filter((run) => !run.suspect)).sort()).toEqual(others.sort());
    const [one, ...more] = claimed.filter((run) => run.suspect);
    expect(suspected).toContain(one!.id);
    expect(more).toEqual([]);
    expect(await store.claimRuns(100, { suspects: 0 })).toEqual([]);
    const [another] = await store.claimRuns(100);
    expect(another).toMatchObject({ suspect: true });
    expect(suspected).toContain(another!.id);
  });

  it("hide nothing and wait for nobody else while they are held back", async () => {
    await suspects(150);
    expect(await store.claimRuns(100, { suspects: 0 })).toEqual([]);
    const [other] = await submit(1, { priority: -100 });
    expect(ids(await store.claimRuns(1, { suspects: 0 }))).toEqual([other]);
    expect(await store.claimRuns(100, { suspects: 100 })).toHaveLength(100);
    expect(await store.claimRuns(100, { suspects: 100 })).toHaveLength(50);
  });

  it("are like any others as soon as they have made progress", async () => {
    await suspects(2);
    const [run] = await store.claimRuns(1);
    const progressed = new Promise<void>((resolve) => {
      const journal = store.journal(run!, resolve);
      journal.appendStep(step("first"));
      void journal.commit();
    });
    await progressed;
    await expireLease(database, run!.id);
    const claimed = await store.claimRuns(100, { suspects: 0 });
    expect(claimed).toEqual([expect.objectContaining({ id: run!.id, suspect: false })]);
  });

  it("end as poisoned when they have been the only suspect three times more; those beside them live", async () => {
    const submitted = await suspects(12);
    const culprit = submitted[5]!;
    let lives = 0;
    for (let claimed = await store.claimRuns(100); claimed.length > 0; claimed = await store.claimRuns(100)) {
      expect(claimed.filter((run) => run.suspect).length).toBeLessThanOrEqual(1);
      if (ids(claimed).includes(culprit)) {
        lives++;
        await die(claimed);
        // Somebody always comes to stand beside it.
        await submit(1);
      } else await Promise.all(claimed.map((run) => endRun(store, run)));
    }
    expect(lives).toBe(3);
    const ended = await database.query<{ id: string; status: string }>("SELECT id, status FROM flow_run.run WHERE status <> 'succeeded'");
    expect(ended).toEqual([{ id: culprit, status: "failed" }]);
    expect(await store.getRun("dev", culprit)).toMatchObject({ error: { code: "poisoned" } });
  });

  it("do not give up their slot when their flow is limited", async () => {
    const bundle = { flows: { narrow: { concurrency: 1 } }, environments: {} };
    await store.deploy({ environment: "dev", bundle, hash: "1", author: null, message: null, commit: null });
    const [first, second] = [...(await submit(1, { flow: "narrow" })), ...(await submit(1, { flow: "narrow" }))];
    for (let life = 0; life < 4; life++) {
      const claimed = await store.claimRuns(100);
      expect(claimed).toEqual([expect.objectContaining({ id: first, suspect: life >= 2 })]);
      await die(claimed);
    }
    const [again] = await store.claimRuns(100);
    await endRun(store, again!);
    expect(ids(await store.claimRuns(100))).toEqual([second]);
  });
});
