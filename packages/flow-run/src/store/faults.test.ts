import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultyProxy, startFaultyProxy } from "../../test/support/faulty-proxy.ts";
import { freshPostgresUrl } from "../../test/support/shared-databases.ts";
import {
  attemptEnd,
  attemptStart,
  claimOnly,
  endRun,
  expireLease,
  newRun,
  step,
  submitAndClaim,
  USAGE,
} from "../../test/support/store-fixtures.ts";
import { type Database, openPostgres } from "./database/index.ts";
import { openStore, type Store } from "./index.ts";

describe("a store whose network fails (PostgreSQL)", () => {
  let proxy: FaultyProxy;
  let database: Database;
  let store: Store;
  /** Not through the proxy. */
  let url: string;
  let direct: Database;
  let other: Store;
  const troubles: string[] = [];

  beforeAll(async () => {
    url = await freshPostgresUrl();
    proxy = await startFaultyProxy(url);
    direct = await openPostgres({ connectionString: url });
    database = await openPostgres({ connectionString: proxy.url, connectTimeoutMs: 1_000 });
    store = await openStore({ database, submitTimeoutMs: 2_000, onTrouble: (_, doing) => troubles.push(doing) });
    other = await openStore({ database: direct });
  });
  afterAll(async () => {
    proxy.heal();
    await store.close();
    await other.close();
    await database.close();
    await direct.close();
    await proxy.close();
  });

  /** Until so many statements of this database wait for a lock. Fails when `claim` is over before that: it should have been one of them. */
  async function waitingForLocks(count: number, claim?: Promise<unknown>): Promise<void> {
    let over = false;
    void claim?.then(() => {
      over = true;
    });
    for (let waiting = 0; waiting < count; ) {
      const [row] = await direct.query<{ waiting: number }>(
        "SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = $1",
        ["Lock"],
      );
      waiting = row!.waiting;
      expect(over).toBe(false);
    }
  }

  it("accepts a run once when the answer to its commit is lost", async () => {
    const asked = newRun({ idempotencyKey: "lost" });
    const lost = proxy.loseAnswerOf(asked.id);
    const answer = await store.submitRun(asked);
    await lost;
    expect(answer).toMatchObject({ replayed: false, run: { id: asked.id, status: "queued" } });
    expect((await other.queueDepth()).queued).toBe(1);
    await endRun(other, await claimOnly(other, asked.id));
  });

  it("records, books and ends once when the answer to the commit is lost", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    journal.appendAttemptStart(attemptStart("a-start"));
    const lostStart = proxy.loseAnswerOf("a-start");
    await journal.commit();
    await lostStart;
    journal.appendAttemptEnd(attemptEnd("a-start"));
    journal.appendStep(step("lost-step"));
    const lostStep = proxy.loseAnswerOf("lost-step");
    await journal.commit();
    await lostStep;
    journal.appendEnd({ status: "succeeded", output: "lost-end", error: null });
    const lostEnd = proxy.loseAnswerOf("lost-end");
    await journal.commit();
    await lostEnd;
    expect(await other.getRun("dev", run.id)).toMatchObject({
      status: "succeeded",
      output: "lost-end",
      usage: { ...USAGE, calls: 1 },
      costUsd: 0.0000015,
      unpricedCalls: 0,
    });
    expect(await other.listSteps("dev", run.id)).toHaveLength(2);
  });

  it("cancels once when the answer is lost", async () => {
    const run = await submitAndClaim(store);
    const lost = proxy.loseAnswerOf(run.id);
    expect(await store.cancelRun("dev", run.id)).toMatchObject({ status: "cancelled" });
    await lost;
  });

  it("refuses submits that cannot be committed in time, and keeps what was paid for until the database is back", async () => {
    const run = await submitAndClaim(store);
    const journal = store.journal(run);
    journal.appendAttemptStart(attemptStart("kept"));
    await journal.commit();
    proxy.partition();
    const refused = newRun();
    await expect(store.submitRun(refused)).rejects.toMatchObject({ code: "database-unavailable", retryable: true });
    await expect(store.getRun("dev", run.id)).rejects.toMatchObject({ code: "database-unavailable" });
    await expect(store.claimRuns(1)).rejects.toMatchObject({ code: "database-unavailable" });
    await expect(store.heartbeat([run])).rejects.toMatchObject({ code: "database-unavailable" });
    journal.appendAttemptEnd(attemptEnd("kept"));
    journal.appendStep(step("draft"));
    const committed = journal.commit();
    await expect(store.ping()).rejects.toMatchObject({ code: "database-unavailable" });
    expect(troubles).toContain("recording progress");
    proxy.heal();
    await committed;
    expect(await other.listSteps("dev", run.id)).toMatchObject([{ path: "draft", attempts: [{ status: "succeeded" }] }]);
    expect(await other.getRun("dev", refused.id)).toBeNull();
    await endRun(store, run);
  });

  it("says that ends may have been missed when the connection was lost, and hears of later ones", async () => {
    const missed = new Promise<null>((resolve) => store.onEnded((ids) => ids === null && resolve(ids)));
    const woken = new Promise<void>((resolve) => store.onQueued(resolve));
    proxy.partition();
    proxy.heal();
    expect(await missed).toBeNull();
    await woken;
    const run = await submitAndClaim(other);
    const heard = new Promise<readonly string[] | null>((resolve) => store.onEnded((ids) => ids?.includes(run.id) && resolve(ids)));
    await endRun(other, run);
    expect(await heard).toEqual([run.id]);
  });

  it("makes a new owner wait for the last write of the former one, and see it", async () => {
    const run = await submitAndClaim(store);
    const former = new pg.Client({ connectionString: url });
    await former.connect();
    await former.query("BEGIN");
    const { rows } = await former.query("SELECT epoch FROM flow_run.run WHERE id = $1 FOR UPDATE", [run.id]);
    await former.query(
      `INSERT INTO flow_run.step (run_id, path, seq, epoch, kind, status, started_at, finished_at, output)
       VALUES ($1, 'uncommitted', 1, $2, 'run', 'succeeded', now(), now(), '"the last write"')`,
      [run.id, rows[0].epoch],
    );
    await expireLease(direct, run.id);
    let taken = false;
    const claim = claimOnly(other, run.id).finally(() => {
      taken = true;
    });
    for (let waiting = 0; waiting === 0; ) {
      // Ends when the claim waits for the lock; if it did not wait, when it has claimed.
      const [row] = await direct.query<{ waiting: number }>(
        "SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted AND $1 = $1",
        [1],
      );
      waiting = taken ? -1 : row!.waiting;
    }
    expect(taken).toBe(false);
    await former.query("COMMIT");
    await former.end();
    const owner = await claim;
    expect(owner.steps).toMatchObject([{ path: "uncommitted", output: "the last write" }]);
    const journal = store.journal(run);
    journal.appendStep(step("late"));
    await expect(journal.commit()).rejects.toMatchObject({ code: "fenced" });
    await endRun(other, owner);
  });

  it("holds off a new owner while its own write is on its way", async () => {
    const run = await submitAndClaim(store);
    // Makes the write of the step wait in the middle of its statement, after the fence was checked.
    const blocker = new pg.Client({ connectionString: url });
    await blocker.connect();
    await blocker.query("BEGIN");
    await blocker.query(
      `INSERT INTO flow_run.step (run_id, path, seq, epoch, kind, status, started_at, finished_at)
       VALUES ($1, 'slow', 1, 1, 'run', 'succeeded', now(), now())`,
      [run.id],
    );
    const journal = store.journal(run);
    journal.appendStep(step("slow", { output: "written" }));
    const committed = journal.commit();
    await waitingForLocks(1);
    await expireLease(direct, run.id);
    const claim = claimOnly(other, run.id);
    await waitingForLocks(2, claim);
    await blocker.query("ROLLBACK");
    await blocker.end();
    await committed;
    const owner = await claim;
    expect(owner.steps).toMatchObject([{ path: "slow", output: "written" }]);
    await endRun(other, owner);
  });

  it("writes from many processes at once without a deadlock that anybody sees", async () => {
    const runs = await Promise.all(Array.from({ length: 60 }, (_, i) => store.submitRun(newRun({ idempotencyKey: `k${i}` })))).then(() =>
      store.claimRuns(100),
    );
    for (const run of runs) {
      const journal = store.journal(run);
      journal.appendAttemptStart(attemptStart(`d-${run.id}`));
      await journal.commit();
    }
    for (const run of runs) await expireLease(direct, run.id);
    const taken = await other.claimRuns(100);
    expect(taken).toHaveLength(60);
    const submits = [store, other].map((each, turn) =>
      Promise.all(Array.from({ length: 60 }, (_, i) => each.submitRun(newRun({ idempotencyKey: `k${turn === 0 ? i : 59 - i}` })))),
    );
    const bills = runs.map(async (run) => {
      const journal = store.journal(run);
      journal.appendAttemptEnd(attemptEnd(`d-${run.id}`));
      await expect(journal.commit()).rejects.toMatchObject({ code: "fenced" });
    });
    const ends = taken.reverse().map((run) => endRun(other, run));
    const replays = (await Promise.all(submits)).flat();
    expect(replays.every(({ replayed }) => replayed)).toBe(true);
    await Promise.all([...bills, ...ends]);
    for (const run of taken)
      expect(await other.getRun("dev", run.id)).toMatchObject({ status: "succeeded", unpricedCalls: 0, usage: { calls: 1 } });
  });
});
