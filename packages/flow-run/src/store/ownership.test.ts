import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { attemptStart, claimOnly, endRun, expireLease, newRun, step, submitAndClaim } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { type ClaimedRun, openStore, type Store } from "./index.ts";

describeEachDatabase("who owns a run", (open) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
  });
  afterAll(() => store.close());

  const jobOf = async (id: string) =>
    (await database.query("SELECT j.* FROM flow_run.run AS r JOIN pgboss.job AS j ON j.id = r.job_id WHERE r.id = $1", [id]))[0];

  /** Until the supervisor of the queue has given the run back: looks again whenever the database has answered. */
  async function claimWhenGivenBack(): Promise<ClaimedRun> {
    for (;;) {
      const [run] = await store.claimRuns(1);
      if (run) return run;
    }
  }

  it("hands each run to one of many claimers", async () => {
    const asked = Array.from({ length: 60 }, () => newRun());
    await Promise.all(asked.map((run) => store.submitRun(run)));
    const batches = await Promise.all(Array.from({ length: 8 }, () => store.claimRuns(15)));
    const claimed = batches.flat();
    expect(claimed.map((run) => run.id).sort()).toEqual(asked.map((run) => run.id).sort());
    await Promise.all(claimed.map((run) => endRun(store, run)));
  });

  it("keeps a lease that is prolonged, reports one that is lost", async () => {
    const kept = await submitAndClaim(store);
    const lost = await submitAndClaim(store);
    expect(await store.heartbeat([kept, lost])).toEqual([]);
    await expireLease(database, lost.id);
    expect(await store.heartbeat([kept, lost])).toEqual([lost.id]);
    const again = await claimOnly(store, lost.id);
    // The new claim is another lease: the former owner does not prolong it.
    expect(await store.heartbeat([lost])).toEqual([lost.id]);
    expect(await store.heartbeat([again])).toEqual([]);
    for (const run of [kept, again]) await endRun(store, run);
  });

  it("gives the runs of a silent worker to another, and nothing of a beating one", async () => {
    const silent = await submitAndClaim(store);
    const beating = await submitAndClaim(store);
    await database.query("UPDATE pgboss.job SET heartbeat_on = now() - interval '11 seconds' WHERE id = $1 RETURNING id", [
      silent.jobId.split(":")[0],
    ]);
    const next = await claimWhenGivenBack();
    expect(next).toMatchObject({ id: silent.id, epoch: 2 });
    expect(await store.heartbeat([beating])).toEqual([]);
    for (const run of [next, beating]) await endRun(store, run);
  });

  it("lets a run take days, as long as its worker is heard of", async () => {
    const run = await submitAndClaim(store);
    await database.query(
      "UPDATE pgboss.job SET started_on = now() - interval '400 days', heartbeat_on = now() WHERE id = $1 RETURNING id",
      [run.jobId.split(":")[0]],
    );
    const silent = await submitAndClaim(store);
    await database.query("UPDATE pgboss.job SET heartbeat_on = now() - interval '11 seconds' WHERE id = $1 RETURNING id", [
      silent.jobId.split(":")[0],
    ]);
    // The supervisor looks at both in one pass.
    const next = await claimWhenGivenBack();
    expect(next.id).toBe(silent.id);
    expect(await store.heartbeat([run])).toEqual([]);
    for (const each of [run, next]) await endRun(store, each);
  });

  it("takes runs that were handed back at once, and does not count that against them", async () => {
    let run = await submitAndClaim(store);
    for (let i = 0; i < 8; i++) {
      let woken = 0;
      const stop = store.onQueued(() => woken++);
      await store.releaseRuns([run]);
      stop();
      expect(woken).toBe(1);
      expect(await store.getRun("dev", run.id)).toMatchObject({ status: "queued" });
      run = await claimOnly(store, run.id);
    }
    expect(run.epoch).toBe(9);
    await endRun(store, run);
  });

  it("does not let a former owner hand back what another has", async () => {
    const former = await submitAndClaim(store);
    await expireLease(database, former.id);
    const owner = await claimOnly(store, former.id);
    await store.releaseRuns([former]);
    expect(await store.getRun("dev", former.id)).toMatchObject({ status: "running" });
    expect(await store.heartbeat([owner])).toEqual([]);
    await endRun(store, owner);
  });

  it("ends a run that was claimed five times without progress, with all that its workers left", async () => {
    let run = await submitAndClaim(store);
    const ended = new Promise<readonly string[] | null>((resolve) => store.onEnded((ids) => ids?.includes(run.id) && resolve(ids)));
    for (let claims = 2; claims <= 5; claims++) {
      if (claims === 2) {
        const journal = store.journal(run);
        journal.appendAttemptStart(attemptStart("p1"));
        await journal.commit();
      }
      await expireLease(database, run.id);
      run = await claimOnly(store, run.id);
    }
    const journal = store.journal(run);
    journal.appendAttemptStart(attemptStart("p2", { number: 2 }));
    await journal.commit();
    await expireLease(database, run.id);
    expect(await store.claimRuns(10)).toEqual([]);
    expect(await store.getRun("dev", run.id)).toMatchObject({
      status: "failed",
      error: { code: "poisoned", message: expect.stringContaining("5 times"), retryable: false },
      usage: { calls: 2 },
      unpricedCalls: 2,
      finishedAt: expect.any(String),
    });
    expect(await ended).toEqual([run.id]);
    journal.appendStep(step("draft"));
    await expect(journal.commit()).rejects.toMatchObject({ code: "fenced" });
  });

  it("goes on with a run that makes progress, however often its workers die", async () => {
    let run = await submitAndClaim(store);
    for (let claims = 1; claims <= 12; claims++) {
      if (claims % 4 === 0) {
        const journal = store.journal(run);
        journal.appendStep(step(`s${claims}`, { seq: run.steps.length + 1 }));
        await journal.commit();
      }
      await expireLease(database, run.id);
      run = await claimOnly(store, run.id);
    }
    expect(run.steps.map((record) => record.path)).toEqual(["s4", "s8", "s12"]);
    await endRun(store, run);
  });

  it("gives a job back to unfinished runs that have none, and only to those", async () => {
    const queued = newRun();
    await store.submitRun(queued);
    const running = await store.claimRuns(1);
    const lost = newRun();
    await store.submitRun(lost);
    const ended = await store.claimRuns(1).then(async ([run]) => {
      await endRun(store, run!);
      return run!;
    });
    expect(ended.id).toBe(lost.id);
    expect(await store.requeueOrphans()).toBe(0);
    await database.query("DELETE FROM pgboss.job WHERE id = $1 RETURNING id", [running[0]!.jobId.split(":")[0]]);
    let woken = 0;
    const stop = store.onQueued(() => woken++);
    expect(await store.requeueOrphans()).toBe(1);
    expect(woken).toBe(1);
    stop();
    expect(await store.requeueOrphans()).toBe(0);
    const again = await claimOnly(store, queued.id);
    expect(again.epoch).toBe(2);
    await endRun(store, again);
  });

  it("removes a job that comes again after its run has ended, without starting anything", async () => {
    const run = await submitAndClaim(store);
    const job = await jobOf(run.id);
    await endRun(store, run);
    await database.query(
      "INSERT INTO pgboss.job (id, name, data, heartbeat_seconds) VALUES ($1, 'runs', $2::text::jsonb, 10), (gen_random_uuid(), 'runs', $2::text::jsonb, 10) ON CONFLICT DO NOTHING RETURNING id",
      [job?.id ?? run.jobId.split(":")[0], JSON.stringify({ run: run.id })],
    );
    expect(await store.claimRuns(10)).toEqual([]);
    expect(await store.getRun("dev", run.id)).toMatchObject({ status: "succeeded" });
    expect((await store.queueDepth()).queued).toBe(0);
  });

  it("takes up what a process that is gone had under way, when it is the only one", async () => {
    const run = await submitAndClaim(store);
    const careful = await openStore({ database, onlyProcess: false });
    expect(await careful.claimRuns(10)).toEqual([]);
    const only = await openStore({ database, onlyProcess: true });
    const again = await claimOnly(only, run.id);
    expect(again.epoch).toBe(2);
    await endRun(only, again);
    await careful.close();
    await only.close();
  });
});
