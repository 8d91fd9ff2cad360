import fs from "node:fs";
import path from "node:path";
import pg from "pg";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/support/describe-each-database.ts";
import { emptyTemplateFile, freshPostgresUrl } from "../../../test/support/shared-databases.ts";
import { openPglite, openPostgres, openStore, type Store } from "../index.ts";
import { migrateTo } from "./index.ts";

let templateFile: string;
let directory: string;
let databaseUrl: string;

beforeAll(async () => {
  templateFile = await emptyTemplateFile();
});
beforeEach(async () => {
  directory = temporaryDirectory();
  databaseUrl = await freshPostgresUrl();
});

const onFatal = (error: Error) => {
  throw error;
};

async function inside<T>(work: (store: Store, sql: (text: string) => Promise<unknown>) => Promise<T>): Promise<T> {
  const database = await openPglite({ directory, templateFile, onFatal });
  const store = await openStore({ database });
  try {
    return await work(store, (text) => database.exec(text));
  } finally {
    await store.close();
    await database.close();
  }
}

async function onServer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const ODD_INPUT = { z: 1, a: "é🙂 \\ \" ' {} , \n", list: [null, 1.5e-7, { deep: [] }], empty: {} };

async function fill(store: Store): Promise<string[]> {
  await store.deploy({ environment: "dev", bundle: { hash: "h1", flows: {} }, hash: "h1", author: "ann", message: "first", commit: null });
  await store.createApiKey({ name: "ci", environment: "dev", scopes: ["run", "read"], sha256: "0".repeat(64) });
  const ids = ["run_a", "run_b", "run_c"];
  for (const id of ids) {
    await store.submitRun({
      id,
      environment: "dev",
      flow: "reply",
      kind: "workflow",
      release: 1,
      input: ODD_INPUT,
      tags: ["x", 'odd "tag", {}'],
      priority: 0,
      idempotencyKey: `key-${id}`,
      fingerprint: "f".repeat(64),
    });
  }
  const [claimed] = await store.claimRuns(1);
  if (!claimed) throw new Error("nothing to claim");
  const journal = store.journal(claimed);
  journal.appendStep({
    path: "draft",
    seq: 1,
    kind: "run",
    status: "succeeded",
    input: ODD_INPUT,
    output: "text",
    error: null,
    startedAtMs: 1_700_000_000_123,
    finishedAtMs: 1_700_000_000_456,
  });
  journal.appendEnd({ status: "succeeded", output: { reply: "done" }, error: null });
  await journal.commit();
  return ids;
}

const everything = async (store: Store) => {
  const { runs } = await store.listRuns({ environment: "dev", limit: 200 });
  return {
    runs,
    steps: await Promise.all(runs.map((run) => store.listSteps("dev", run.id))),
    releases: await store.listReleases("dev"),
    bundle: await store.getBundle("dev", 1),
    keys: await store.listApiKeys("dev"),
  };
};

describe("moving an embedded installation to PostgreSQL", { timeout: 120_000 }, () => {
  test("takes every run, step, release and key along, and the queued runs go on there", async () => {
    const before = await inside(async (store) => {
      await fill(store);
      return everything(store);
    });
    const moved = await migrateTo({ directory, databaseUrl });
    expect(moved.tables).toContainEqual({ table: "flow_run.run", rows: 3 });
    const database = await openPostgres({ connectionString: databaseUrl });
    const store = await openStore({ database });
    try {
      expect(await everything(store)).toEqual(before);
      expect(JSON.stringify((await store.getRun("dev", "run_a"))?.input)).toBe(JSON.stringify(ODD_INPUT));
      expect(await store.claimRuns(10)).toHaveLength(2);
      const again = store.submitRun({ ...resubmission("run_new", "key-run_a") });
      expect(await again).toMatchObject({ replayed: true, run: { id: "run_a" } });
    } finally {
      await store.close();
      await database.close();
    }
  });

  test("puts the old files aside and refuses to start on that directory, which would be an empty database", async () => {
    await inside(fill);
    const { oldDirectory } = await migrateTo({ directory, databaseUrl });
    expect(oldDirectory).toBe(path.join(directory, "pgdata.migrated"));
    expect(fs.existsSync(path.join(oldDirectory, "PG_VERSION"))).toBe(true);
    await expect(openPglite({ directory, templateFile, onFatal })).rejects.toMatchObject({
      code: "data-dir-migrated",
      message: expect.stringContaining("DATABASE_URL"),
    });
    await expect(migrateTo({ directory, databaseUrl })).rejects.toMatchObject({ code: "nothing-to-migrate" });
  });

  test("takes along queues that have a table of their own, and numbers that sequences will give next", async () => {
    const numbered =
      "CREATE TABLE flow_run.numbered (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, twice int8 GENERATED ALWAYS AS (id * 2) STORED)";
    await inside(async (_store, sql) => {
      await sql(`${numbered}; INSERT INTO flow_run.numbered DEFAULT VALUES; INSERT INTO flow_run.numbered DEFAULT VALUES`);
      await sql(`SELECT pgboss.create_queue('apart', '{"partition": true, "policy": "standard"}');
        INSERT INTO pgboss.job (name, data) VALUES ('apart', '{"b": 1, "a": 2}')`);
    });
    await onServer((client) => client.query(`CREATE SCHEMA flow_run; ${numbered}`));
    await migrateTo({ directory, databaseUrl });
    await onServer(async (client) => {
      await client.query("INSERT INTO flow_run.numbered DEFAULT VALUES");
      expect((await client.query("SELECT id::int, twice::int FROM flow_run.numbered ORDER BY id")).rows).toEqual([
        { id: 1, twice: 2 },
        { id: 2, twice: 4 },
        { id: 3, twice: 6 },
      ]);
      const { rows } = await client.query("SELECT tableoid::regclass::text AS place, data FROM pgboss.job WHERE name = 'apart'");
      expect(rows).toEqual([{ place: expect.stringMatching(/^pgboss\.j[0-9a-f]{56}$/), data: { a: 2, b: 1 } }]);
    });
  });

  test("copies many rows, and large ones, without an end to what fits", async () => {
    await inside(async (store, sql) => {
      await fill(store);
      await sql(`INSERT INTO flow_run.step (run_id, path, seq, epoch, kind, status, started_at, finished_at, output)
        SELECT 'run_a', 'many[' || n || ']', n, 1, 'run', 'succeeded', now(), now(), to_json(n) FROM generate_series(2, 20000) AS n`);
      await sql("UPDATE flow_run.step SET output = to_json(repeat('long ', 1000000)) WHERE seq % 5000 = 0");
    });
    const seen: number[] = [];
    const { tables } = await migrateTo({
      directory,
      databaseUrl,
      onProgress: ({ table, rows }) => table === "flow_run.step" && seen.push(rows),
    });
    expect(tables).toContainEqual({ table: "flow_run.step", rows: 20_000 });
    expect(seen.length).toBeGreaterThan(10);
  });

  test("refuses a target that holds data, and changes nothing", async () => {
    await inside(fill);
    const other = await openPostgres({ connectionString: databaseUrl });
    const occupied = await openStore({ database: other });
    await occupied.createApiKey({ name: "theirs", environment: "dev", scopes: ["run"], sha256: "1".repeat(64) });
    await expect(migrateTo({ directory, databaseUrl })).rejects.toMatchObject({
      code: "target-not-empty",
      message: expect.stringContaining("createdb"),
    });
    expect(await occupied.listApiKeys("dev")).toHaveLength(1);
    await occupied.close();
    await other.close();
    expect(await inside((store) => store.getRun("dev", "run_a"))).toMatchObject({ id: "run_a" });
  });

  test("that fails half-way leaves both sides as they were, and works when it is run again", async () => {
    await inside(fill);
    await onServer(async (client) => {
      const empty = await openPostgres({ connectionString: databaseUrl });
      await (await openStore({ database: empty })).close();
      await empty.close();
      await client.query("ALTER TABLE flow_run.step ADD CONSTRAINT broken CHECK (path <> 'draft')");
      await expect(migrateTo({ directory, databaseUrl })).rejects.toMatchObject({ code: "23514" });
      expect((await client.query("SELECT count(*)::int AS n FROM flow_run.run")).rows).toEqual([{ n: 0 }]);
      await client.query("ALTER TABLE flow_run.step DROP CONSTRAINT broken");
    });
    expect((await migrateTo({ directory, databaseUrl })).tables).toContainEqual({ table: "flow_run.step", rows: 1 });
  });

  test("waits for nobody: a server that is running on the directory is named", async () => {
    const database = await openPglite({ directory, templateFile, onFatal });
    await expect(migrateTo({ directory, databaseUrl })).rejects.toMatchObject({ code: "data-dir-locked", details: { pid: process.pid } });
    await database.close();
  });

  test("does not make an installation where there is none", async () => {
    await expect(migrateTo({ directory, databaseUrl })).rejects.toMatchObject({ code: "nothing-to-migrate" });
    expect(fs.readdirSync(directory)).toEqual([]);
  });
});

function resubmission(id: string, idempotencyKey: string) {
  return {
    id,
    environment: "dev",
    flow: "reply",
    kind: "workflow" as const,
    release: 1,
    input: ODD_INPUT,
    tags: [],
    priority: 0,
    idempotencyKey,
    fingerprint: "f".repeat(64),
  };
}
