import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { endRun, newRun } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { type ClaimedRun, openStore, type Store } from "./index.ts";

describeEachDatabase("the order in which runs are claimed", (open, kind) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
  });
  beforeEach(async () => {
    await database.exec("TRUNCATE flow_run.run, pgboss.job").catch(() => {});
    store = await openStore({ database });
    return () => store.close();
  });
  afterAll(() => database.close());

  async function submit(count: number, priority: number): Promise<string[]> {
    const runs = Array.from({ length: count }, () => newRun({ priority }));
    await Promise.all(runs.map((run) => store.submitRun(run)));
    return runs.map((run) => run.id);
  }

  /** As if so much time had gone by since everything was submitted. */
  const later = (seconds: number) =>
    database.exec(`
      UPDATE flow_run.run SET created_at = created_at - interval '${seconds} seconds';
      UPDATE pgboss.job SET created_on = created_on - interval '${seconds} seconds', start_after = start_after - interval '${seconds} seconds'`);

  async function claimOne(): Promise<ClaimedRun> {
    const [run, ...more] = await store.claimRuns(1);
    if (!run || more.length > 0) throw new Error(`claimed ${more.length + 1} runs`);
    return run;
  }

  it("claims one run of high priority before five thousand low ones that came first", async () => {
    await submit(5_000, -10);
    const [high] = await submit(1, 10);
    expect((await claimOne()).id).toBe(high);
    await submit(1, 10);
    expect((await store.claimRuns(20)).map((run) => run.id)).toHaveLength(20);
  });

  it("claims runs of one priority in the order in which they came", async () => {
    const first = await submit(1, 0);
    const second = await submit(1, 0);
    const third = await submit(1, 5);
    expect([(await claimOne()).id, (await claimOne()).id, (await claimOne()).id]).toEqual([...third, ...first, ...second]);
  });

  it("starts low ones, too, under an endless flood of high ones: one in ten, the longest waiting first", async () => {
    const [oldest] = await submit(1, -5);
    const [older] = await submit(1, -100);
    await later(61);
    const claimed: string[] = [];
    for (let round = 0; round < 20; round++) {
      await submit(2, 100);
      claimed.push((await claimOne()).id);
    }
    expect([claimed.indexOf(oldest!), claimed.indexOf(older!)]).toEqual([9, 19]);
  });

  it("keeps a backlog of old low ones from taking more than that tenth", async () => {
    const low = new Set(await submit(300, -10));
    await later(3_600);
    const high = await submit(90, 0);
    const first = await store.claimRuns(100);
    expect(first.map((run) => run.id).filter((id) => low.has(id))).toHaveLength(10);
    expect(first.map((run) => run.id).filter((id) => high.includes(id))).toHaveLength(90);
    await Promise.all(first.map((run) => endRun(store, run)));
  });

  it("reads no more of a long queue than of a short one, whatever the statistics say", async () => {
    // Plans are made while there is next to nothing, and nobody tells the planner that this changes.
    for (let run = 0; run < 8; run++) await endRun(store, ((await submit(1, 0)) && (await claimOne())) as ClaimedRun);
    await database.exec(`
      INSERT INTO flow_run.run (id, job_id, environment, flow, kind, release, status, input, tags, priority, fingerprint)
      SELECT 'run_g' || g, gen_random_uuid(), 'dev', 'f', 'task', 1, 'queued', '1', '{}', 0, '' FROM generate_series(1, 20000) AS g;
      INSERT INTO pgboss.job (id, name, data, retry_limit, heartbeat_seconds) SELECT job_id, 'runs', jsonb_build_object('run', id), 1000000000, 10
      FROM flow_run.run WHERE id LIKE 'run_g%'`);
    const before = await blocksRead();
    expect(await store.claimRuns(100)).toHaveLength(100);
    if (kind === "postgres") expect((await blocksRead()) - before).toBeLessThan(6_000);
  });

  /** Pages of runs and jobs that statements have asked for. */
  async function blocksRead(): Promise<number> {
    await database.query("SELECT pg_stat_force_next_flush()");
    const [row] = await database.query<{ blocks: number }>(
      `SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::float8 AS blocks FROM pg_statio_user_tables
       WHERE relname IN ('run', 'job_common')`,
    );
    return row!.blocks;
  }

  it("gives low ones no share before they have waited for a minute", async () => {
    await submit(50, -10);
    await later(55);
    const high = await submit(40, 0);
    expect((await store.claimRuns(40)).map((run) => run.id).sort()).toEqual(high.sort());
  });
});
