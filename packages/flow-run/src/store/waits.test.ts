import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { freshPostgresUrl } from "../../test/support/shared-databases.ts";
import { claimOnly, endRun, expireLease, step, submitAndClaim } from "../../test/support/store-fixtures.ts";
import { type Database, openPostgres } from "./database/index.ts";
import { type ClaimedRun, openStore, type Store } from "./index.ts";

const HOUR = 3_600_000;
const approval = { path: "approval", signal: "approval", dueInMs: HOUR, payloadSchema: null };

const stateOf = async (database: Database, id: string) => {
  const [row] = await database.query<{ status: string; wakes: boolean; jobs: number }>(
    `SELECT r.status, r.wake_at IS NOT NULL AS wakes,
      (SELECT count(*)::int FROM pgboss.job AS j WHERE j.state <= 'active' AND j.data ->> 'run' = r.id) AS jobs
     FROM flow_run.run AS r WHERE r.id = $1`,
    [id],
  );
  return row!;
};
const WAITING = { status: "waiting", wakes: true, jobs: 0 };
const QUEUED = { status: "queued", wakes: false, jobs: 1 };

async function suspend(store: Store, run: ClaimedRun, deadlineMs: number | null = null): Promise<void> {
  const { waits } = store.journal(run);
  await waits!.open(approval);
  await waits!.suspend(["approval"], deadlineMs);
}

describeEachDatabase("waits", (open) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
  });
  afterAll(() => store.close());

  /** As if so much time had gone by. */
  const pass = (id: string, ms: number) =>
    database.batch([
      ["UPDATE flow_run.wait SET due_at = due_at - $2 * interval '1 millisecond' WHERE run_id = $1 RETURNING path", [id, ms]],
      ["UPDATE flow_run.run SET wake_at = wake_at - $2 * interval '1 millisecond' WHERE id = $1 RETURNING id", [id, ms]],
    ]);

  it("take the run out of the queue and bring it back with the signal's payload", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    journal.appendStep(step("before"));
    expect(await journal.waits!.open(approval)).toMatchObject({ delivered: false, payload: null });
    journal.appendStep(step("beside", { seq: 2 }));
    await journal.waits!.suspend(["approval"], null);
    expect(await stateOf(database, run.id)).toEqual(WAITING);
    expect(await store.awaitedSignals("dev", run.id)).toEqual({
      status: "waiting",
      signals: [{ name: "approval", path: "approval", payloadSchema: null }],
    });
    expect(await store.deliverSignal("dev", run.id, "approval", { ok: true, "1": "é" })).toBe(true);
    expect(await stateOf(database, run.id)).toEqual(QUEUED);
    const again = await claimOnly(store, run.id);
    expect(again.steps.map(({ path }) => path)).toEqual(["before", "beside"]);
    expect(await store.journal(again).waits!.open(approval)).toMatchObject({ delivered: true, payload: { ok: true, "1": "é" } });
    await endRun(store, again);
  });

  it("take a signal once, and none when the run is unknown, has ended, or the time is up", async () => {
    const run = await submitAndClaim(store);
    await suspend(store, run);
    expect(await store.deliverSignal("dev", run.id, "approval", 1)).toBe(true);
    expect(await store.deliverSignal("dev", run.id, "approval", 1)).toBe(false);
    expect((await store.awaitedSignals("dev", run.id))!.signals).toEqual([]);
    expect(await store.deliverSignal("dev", "run_unknown", "approval", 1)).toBe(false);
    expect(await store.awaitedSignals("dev", "run_unknown")).toBeNull();
    expect(await store.awaitedSignals("prod", run.id)).toBeNull();
    await endRun(store, await claimOnly(store, run.id));
    const late = await submitAndClaim(store);
    await suspend(store, late);
    await pass(late.id, HOUR + 1);
    expect(await store.deliverSignal("dev", late.id, "approval", 1)).toBe(false);
    await store.cancelRun("dev", late.id);
    expect((await store.awaitedSignals("dev", late.id))!.signals).toEqual([]);
  });

  it("are due by the database's clock, not before, whoever looks", async () => {
    const run = await submitAndClaim(store);
    await suspend(store, run);
    expect(await store.requeueDueWaits()).toBe(0);
    await pass(run.id, HOUR + 1);
    expect(await store.requeueDueWaits()).toBe(1);
    expect(await store.requeueDueWaits()).toBe(0);
    expect(await stateOf(database, run.id)).toEqual(QUEUED);
    const again = await claimOnly(store, run.id);
    expect(await store.journal(again).waits!.open(approval)).toEqual({ delivered: false, payload: null, remainingMs: 0 });
    await endRun(store, again);
  });

  it("wake the run at its own deadline when that comes before", async () => {
    const run = await submitAndClaim(store);
    await suspend(store, run, Date.now() - 1_000);
    expect(await stateOf(database, run.id)).toEqual(WAITING);
    expect(await store.requeueDueWaits()).toBe(1);
    await endRun(store, await claimOnly(store, run.id));
  });

  it("leave no moment between a signal and the suspension: what was delivered before is queued at once", async () => {
    const run = await submitAndClaim(store);
    const { waits } = store.journal(run);
    await waits!.open(approval);
    expect(await store.deliverSignal("dev", run.id, "approval", "early")).toBe(true);
    await waits!.suspend(["approval"], null);
    expect(await stateOf(database, run.id)).toEqual(QUEUED);
    await endRun(store, await claimOnly(store, run.id));
  });

  it("suspend no run that has another owner or has ended", async () => {
    const run = await submitAndClaim(store);
    await store.journal(run).waits!.open(approval);
    await expireLease(database, run.id);
    const next = await claimOnly(store, run.id);
    const former = store.journal(run).waits!;
    await expect(former.open({ ...approval, path: "other" })).rejects.toMatchObject({ code: "fenced" });
    await expect(former.suspend(["approval"], null)).rejects.toMatchObject({ code: "fenced" });
    await former.close("approval");
    expect(await stateOf(database, run.id)).toEqual({ status: "running", wakes: false, jobs: 1 });
    expect((await store.awaitedSignals("dev", run.id))!.signals).toHaveLength(1);
    await endRun(store, next);
    await expect(store.journal(next).waits!.suspend(["approval"], null)).rejects.toMatchObject({ code: "fenced" });
  });

  it("are given up by their owner, and take no signal then", async () => {
    const run = await submitAndClaim(store);
    const { waits } = store.journal(run);
    await waits!.open(approval);
    await waits!.close("approval");
    expect(await store.deliverSignal("dev", run.id, "approval", 1)).toBe(false);
    await endRun(store, run);
  });

  it("can be cancelled, and do not come back", async () => {
    const run = await submitAndClaim(store);
    await suspend(store, run);
    expect(await store.cancelRun("dev", run.id)).toMatchObject({ status: "cancelled" });
    expect(await store.deliverSignal("dev", run.id, "approval", 1)).toBe(false);
    await pass(run.id, 2 * HOUR);
    expect(await store.requeueDueWaits()).toBe(0);
    expect(await store.requeueOrphans()).toBe(0);
    expect(await stateOf(database, run.id)).toEqual({ status: "cancelled", wakes: false, jobs: 0 });
  });

  it("are no orphans, unless what they wait for has come", async () => {
    const run = await submitAndClaim(store);
    await suspend(store, run);
    expect(await store.requeueOrphans()).toBe(0);
    expect(await stateOf(database, run.id)).toEqual(WAITING);
    await database.query("UPDATE flow_run.wait SET delivered_at = now() WHERE run_id = $1 RETURNING path", [run.id]);
    expect(await store.requeueOrphans()).toBe(1);
    expect(await stateOf(database, run.id)).toEqual(QUEUED);
    await endRun(store, await claimOnly(store, run.id));
  });

  it("do not count against the run, however often it is woken", async () => {
    let run = await submitAndClaim(store);
    for (let round = 0; round < 8; round++) {
      await suspend(store, run);
      await database.query("UPDATE flow_run.run SET wake_at = now() WHERE id = $1 RETURNING id", [run.id]);
      expect(await store.requeueDueWaits()).toBe(1);
      run = await claimOnly(store, run.id);
    }
    await endRun(store, run);
  });

  it("tell the owner of a run that is under way, here and in another process", async () => {
    const other = await openStore({ database, onlyProcess: false });
    const run = await submitAndClaim(store);
    await store.journal(run).waits!.open(approval);
    const told = (on: Store) =>
      new Promise<string | null>((resolve) => {
        const stop = on.onSignalled((id) => {
          stop();
          resolve(id);
        });
      });
    const both = Promise.all([told(store), told(other)]);
    expect(await store.deliverSignal("dev", run.id, "approval", 1)).toBe(true);
    expect(await both).toEqual([run.id, run.id]);
    expect((await store.getRun("dev", run.id))!.status).toBe("running");
    await endRun(store, run);
    await other.close();
  });
});

describe("a signal that races the suspension (PostgreSQL)", () => {
  it.each(["signal first", "suspension first"])("finds the run queued with one job: %s", async (order) => {
    const connectionString = await freshPostgresUrl();
    const database = await openPostgres({ connectionString });
    const store = await openStore({ database });
    const run = await submitAndClaim(store);
    const { waits } = store.journal(run);
    await waits!.open(approval);
    const blocked = async (count: number) => {
      for (let waiting = 0; waiting < count; ) {
        const [row] = await database.query<{ waiting: number }>(
          "SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        waiting = row!.waiting;
      }
    };
    // Both stand at the run's lock, in this order, and neither has seen what the other will do.
    const racers = [() => store.deliverSignal("dev", run.id, "approval", "now"), () => waits!.suspend(["approval"], null)];
    if (order === "suspension first") racers.reverse();
    const results: Promise<unknown>[] = [];
    const holder = await openPostgres({ connectionString });
    await holder.transaction(async (tx) => {
      await tx.query("SELECT FROM flow_run.run WHERE id = $1 FOR UPDATE", [run.id]);
      for (const race of racers) {
        results.push(race());
        await blocked(results.length);
      }
    });
    await Promise.all(results);
    expect(await stateOf(database, run.id)).toEqual(QUEUED);
    const again = await claimOnly(store, run.id);
    expect(await store.journal(again).waits!.open(approval)).toMatchObject({ delivered: true, payload: "now" });
    await store.close();
    await Promise.all([database.close(), holder.close()]);
  });
});
