import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { endRun, expireLease, newRun, step } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { type ClaimedRun, openStore, type Store } from "./index.ts";

describeEachDatabase("limits of concurrency", (open, kind) => {
  let database: Database;
  let store: Store;
  let releases = 0;

  beforeAll(async () => {
    database = await open();
  });
  beforeEach(async () => {
    await database.exec("DELETE FROM flow_run.run; DELETE FROM pgboss.job; DELETE FROM flow_run.concurrency_limit").catch(() => {});
    store = await openStore({ database });
    return () => store.close();
  });
  afterAll(() => database.close());

  /** Deploys a release whose flows have these limits. */
  function limit(
    flows: { [flow: string]: number | null },
    own?: { concurrency?: number; flows: { [flow: string]: number } },
    environment = "dev",
  ) {
    const entries = Object.entries(flows).map(([name, concurrency]) => [name, concurrency === null ? {} : { concurrency }]);
    const bundle = { flows: Object.fromEntries(entries), environments: own ? { [environment]: { limits: own } } : {} };
    return store.deploy({ environment, bundle, hash: `${++releases}`, author: null, message: null, commit: null });
  }

  async function submit(count: number, flow: string, over: object = {}): Promise<string[]> {
    const runs = Array.from({ length: count }, () => newRun({ flow, ...over }));
    for (let start = 0; start < count; start += 500) await Promise.all(runs.slice(start, start + 500).map((run) => store.submitRun(run)));
    return runs.map((run) => run.id);
  }

  const ids = (runs: readonly { id: string }[]) => runs.map((run) => run.id);
  const flowsOf = (runs: readonly ClaimedRun[]) => runs.map((run) => run.flow).sort();

  it("lets so many runs of a flow be under way, and the next when one has ended", async () => {
    await limit({ narrow: 2, wide: null });
    const narrow = await submit(5, "narrow");
    const wide = await submit(3, "wide");
    const claimed = await store.claimRuns(10);
    expect(ids(claimed).sort()).toEqual([...narrow.slice(0, 2), ...wide].sort());
    expect(await store.claimRuns(10)).toEqual([]);
    expect(await store.getRun("dev", narrow[2]!)).toMatchObject({ status: "queued", startedAt: null });
    await endRun(store, claimed.find((run) => run.id === narrow[0])!);
    expect(ids(await store.claimRuns(10))).toEqual([narrow[2]]);
    expect(await store.claimRuns(10)).toEqual([]);
  });

  it("hides nothing behind ten thousand runs that stand in line", async () => {
    await limit({ narrow: 1, wide: null });
    const narrow = await submit(10_000, "narrow");
    const wide = await submit(2, "wide");
    expect(ids(await store.claimRuns(100)).sort()).toEqual([narrow[0], ...wide].sort());
    const [more] = await submit(1, "wide");
    // What is read does not grow with the line.
    const before = await blocksRead();
    expect(ids(await store.claimRuns(100))).toEqual([more]);
    if (kind === "postgres") expect((await blocksRead()) - before).toBeLessThan(2_000);
  }, 60_000);

  /** Pages of runs and jobs that statements have asked for. */
  async function blocksRead(): Promise<number> {
    await database.query("SELECT pg_stat_force_next_flush()");
    const [row] = await database.query<{ blocks: number }>(
      `SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::float8 AS blocks FROM pg_statio_user_tables
       WHERE relname IN ('run', 'job_common')`,
    );
    return row!.blocks;
  }

  it("orders a line by priority, then by age, and merges it with the queue by the same rule", async () => {
    await limit({ narrow: 3, wide: null });
    const [low] = await submit(1, "narrow", { priority: -1 });
    const [middle] = await submit(1, "wide", { priority: 0 });
    const [high] = await submit(1, "narrow", { priority: 1 });
    const [highest] = await submit(1, "wide", { priority: 2 });
    const order: string[] = [];
    for (let count = 0; count < 4; count++) order.push(...ids(await store.claimRuns(1)));
    expect(order).toEqual([highest, high, middle, low]);
  });

  it("starts a low one of a line, too, under a flood of high ones", async () => {
    await limit({ narrow: 1 });
    const [low] = await submit(1, "narrow", { priority: -50 });
    await database.exec("UPDATE flow_run.run SET created_at = created_at - interval '61 seconds'");
    await submit(30, "narrow", { priority: 50 });
    const order: string[] = [];
    for (let count = 0; count < 10; count++) {
      const [run] = await store.claimRuns(1);
      order.push(run!.id);
      await endRun(store, run!);
    }
    expect(order.indexOf(low!)).toBe(9);
  });

  it("limits an environment as a whole, whatever its flows allow, and no other environment", async () => {
    await limit({ narrow: 2, wide: null }, { concurrency: 3, flows: {} });
    await submit(5, "narrow");
    await submit(5, "wide");
    const elsewhere = await submit(4, "wide", { environment: "prod" });
    const claimed = await store.claimRuns(20);
    expect(flowsOf(claimed.filter((run) => run.environment === "dev"))).toEqual(["narrow", "narrow", "wide"]);
    expect(ids(claimed.filter((run) => run.environment === "prod")).sort()).toEqual(elsewhere.sort());
    await endRun(store, claimed.find((run) => run.flow === "narrow")!);
    expect(flowsOf(await store.claimRuns(20))).toEqual(["narrow"]);
  });

  it("takes what the environment says of a flow before what the flow says", async () => {
    await limit({ narrow: 1 }, { flows: { narrow: 3 } });
    await submit(5, "narrow");
    expect(await store.claimRuns(20)).toHaveLength(3);
  });

  it("holds for runs that were queued before it was deployed, is raised and is lifted at once", async () => {
    const queued = await submit(300, "narrow");
    await limit({ narrow: 2 });
    const first = await store.claimRuns(10);
    expect(first).toHaveLength(2);
    await limit({ narrow: 3 });
    const second = await store.claimRuns(10);
    expect(second).toHaveLength(1);
    await limit({ narrow: null });
    const rest = await store.claimRuns(1_000);
    expect(ids([...first, ...second, ...rest]).sort()).toEqual(queued.sort());
    // Nothing is left that would make claims look for lines.
    await limit({ narrow: null });
    expect(await database.query("SELECT FROM flow_run.concurrency_limit")).toEqual([]);
  });

  it("keeps the slot of a dead worker's run for that run, and frees it when the run has ended", async () => {
    await limit({ narrow: 1 });
    const [first, second] = await submit(2, "narrow");
    await store.claimRuns(10);
    await expireLease(database, first!);
    const [again, ...more] = await store.claimRuns(10);
    expect([again, more]).toEqual([expect.objectContaining({ id: first, epoch: 2 }), []]);
    await endRun(store, again!);
    expect(ids(await store.claimRuns(10))).toEqual([second]);
  });

  it("keeps the slot of a run that is handed back at shutdown for that run", async () => {
    await limit({ narrow: 1 });
    const [first] = await submit(2, "narrow");
    await store.releaseRuns(await store.claimRuns(10));
    const again = await store.claimRuns(10);
    expect(ids(again)).toEqual([first]);
  });

  it("frees the slot of a run that is cancelled, and forgets one that is cancelled in line", async () => {
    await limit({ narrow: 1 });
    const [first, second, third] = await submit(3, "narrow");
    await store.claimRuns(10);
    await store.cancelRun("dev", second!);
    await store.cancelRun("dev", first!);
    expect(ids(await store.claimRuns(10))).toEqual([third]);
  });

  it("frees the slot of a run that only waits, which comes back at the head of the line", async () => {
    await limit({ narrow: 1 });
    const [[first], [second], [third]] = [await submit(1, "narrow"), await submit(1, "narrow"), await submit(1, "narrow")];
    const [run] = await store.claimRuns(10);
    const journal = store.journal(run!);
    const open = await journal.waits!.open({ path: "approval", signal: "approval", dueInMs: 3_600_000, payloadSchema: null });
    expect(open.delivered).toBe(false);
    const queued = new Promise<void>((resolve) => store.onQueued(resolve));
    await journal.waits!.suspend(["approval"], null);
    await queued;
    const [next] = await store.claimRuns(10);
    expect(next!.id).toBe(second);
    expect(await store.deliverSignal("dev", first!, "approval", { ok: true })).toBe(true);
    expect(await store.claimRuns(10)).toEqual([]);
    await endRun(store, next!);
    expect(ids(await store.claimRuns(10))).toEqual([first]);
    expect(await store.getRun("dev", third!)).toMatchObject({ status: "queued" });
  });

  it("tells when a slot is free", async () => {
    await limit({ narrow: 1 });
    await submit(2, "narrow");
    const [first] = await store.claimRuns(10);
    expect(await store.claimRuns(10)).toEqual([]);
    const freed = new Promise<void>((resolve) => store.onQueued(resolve));
    await endRun(store, first!);
    await freed;
    expect(await store.claimRuns(10)).toHaveLength(1);
  });

  it("is never exceeded, however many claim at once, whatever overtakes in line and however runs end", async () => {
    await limit({ a: 3, b: 5, c: null }, { concurrency: 7, flows: {} });
    const stores = kind === "postgres" ? [store, await openStore({ database }), await openStore({ database })] : [store];
    const claimers = [...stores, ...stores, ...stores].slice(0, 6);
    let random = 7;
    const below = (limit: number) => {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((random / 2_147_483_648) * limit);
    };
    const end = async (own: Store, run: ClaimedRun) => {
      const way = below(5);
      if (way === 0) await own.cancelRun("dev", run.id);
      else if (way > 1) await endRun(own, run);
      else {
        const journal = own.journal(run);
        journal.appendStep(step("s"));
        await journal.commit();
        await expireLease(database, run.id);
      }
    };
    const underWay = new Map<string, [Store, ClaimedRun]>();
    for (let round = 0; round < 25; round++) {
      // Each round has runs that come before all that stand in line.
      const submits = Array.from({ length: 4 }, () => submit(1, "abc"[below(3)]!, { priority: round }));
      const claims = claimers.map(async (own) => (await own.claimRuns(1 + below(4))).map((run) => [own, run] as const));
      for (const [own, run] of (await Promise.all(claims)).flat()) underWay.set(run.id, [own, run]);
      await Promise.all(submits);
      const counts = { a: 0, b: 0, c: 0 };
      const running = await database.query<{ flow: "a" | "b" | "c" }>("SELECT flow FROM flow_run.run WHERE status = 'running'");
      for (const { flow } of running) counts[flow]++;
      expect(counts.a, `round ${round}`).toBeLessThanOrEqual(3);
      expect(counts.b, `round ${round}`).toBeLessThanOrEqual(5);
      expect(running.length, `round ${round}`).toBeLessThanOrEqual(7);
      for (const [id, [own, run]] of underWay) {
        if (below(2) === 0) continue;
        underWay.delete(id);
        await end(own, run);
      }
    }
    for (let left = 1; left > 0; left = underWay.size) {
      await Promise.all([...underWay.values()].map(([own, run]) => endRun(own, run)));
      underWay.clear();
      for (const run of await store.claimRuns(100)) underWay.set(run.id, [store, run]);
    }
    expect(await database.query("SELECT status FROM flow_run.run WHERE finished_at IS NULL")).toEqual([]);
    for (const extra of stores.slice(1)) await extra.close();
  }, 60_000);
});
