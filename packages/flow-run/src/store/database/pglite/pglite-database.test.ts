import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Child, spawnChild } from "../../../../test/support/child-process.ts";
import { temporaryDirectory } from "../../../../test/support/describe-each-database.ts";
import { emptyTemplateFile } from "../../../../test/support/shared-databases.ts";
import type { Database } from "../database.ts";
import { type OpenedPglite, openPgliteWithDetails, type PgliteSettings } from "./open-pglite.ts";

const HOLDER = new URL("../../../../test/support/embedded-holder.ts", import.meta.url);
const BREAK_FSYNC = new URL("../../../../test/support/break-fsync.ts", import.meta.url);

/** Real processes and real fsyncs, on whatever disk and in whatever company. */
const SLOW_MS = 120_000;

let templateFile: string;
const opened: Database[] = [];

beforeAll(async () => {
  templateFile = await emptyTemplateFile();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

async function openWithDetails(directory: string, settings: Partial<PgliteSettings> = {}): Promise<OpenedPglite> {
  const onFatal = (error: Error) => {
    throw error;
  };
  const details = await openPgliteWithDetails({ directory, templateFile, onFatal, ...settings });
  opened.push(details.database);
  return details;
}

const open = async (directory: string, settings?: Partial<PgliteSettings>) => (await openWithDetails(directory, settings)).database;

const hold = (directory: string, options?: Parameters<typeof spawnChild>[2]): Child =>
  spawnChild(HOLDER, [directory, templateFile], options);

const acknowledged = (child: Child) => child.lines.filter((line) => line.startsWith("ack ")).map((line) => Number(line.slice(4)));

async function eventually(check: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await pause(20)) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

describe("an installation", { timeout: SLOW_MS }, () => {
  test("is made where nothing is, and found again with its data", async () => {
    const directory = path.join(temporaryDirectory(), "new");
    const first = await openWithDetails(directory);
    expect(first.opened).toMatchObject({ created: true, fromTemplate: true });
    await first.database.exec("CREATE TABLE t (a int); INSERT INTO t VALUES (7)");
    expect(fs.readdirSync(directory).sort()).toEqual([".lock", ".lock.json", "pgdata"]);
    await first.database.close();
    const again = await openWithDetails(directory);
    expect(again.opened).toMatchObject({ created: false });
    expect(await again.database.query("SELECT a FROM t")).toEqual([{ a: 7 }]);
  });

  test("is made without a template, or with one that does not fit, by initdb", async () => {
    const directory = temporaryDirectory();
    const useless = path.join(directory, "useless.bin");
    fs.writeFileSync(useless, "not a template");
    const { opened, database } = await openWithDetails(directory, { templateFile: useless });
    expect(opened).toMatchObject({ created: true, fromTemplate: false });
    expect(await database.query("SELECT 1 AS n")).toEqual([{ n: 1 }]);
  });

  test("is made afresh when its first start was interrupted", async () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(path.join(directory, "pgdata.new/base"), { recursive: true });
    fs.writeFileSync(path.join(directory, "pgdata.new/PG_VERSION"), "18\n");
    const { opened } = await openWithDetails(directory);
    expect(opened.created).toBe(true);
    expect(fs.existsSync(path.join(directory, "pgdata.new"))).toBe(false);
  });

  test("forces every commit to disk before it answers", async () => {
    const database = await open(temporaryDirectory());
    const settings = await database.query(
      "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'wal_sync_method', 'synchronous_commit') ORDER BY name",
    );
    expect(settings.map((row) => row.setting)).toEqual(["on", "on", "fsync"]);
  });
});

describe("a directory that is not ours to open", { timeout: SLOW_MS }, () => {
  let directory: string;
  let pgdata: string;

  const makeInstallation = async () => {
    directory = temporaryDirectory();
    pgdata = path.join(directory, "pgdata");
    const database = await open(directory);
    await database.exec("CREATE TABLE t (a int); INSERT INTO t VALUES (7)");
    await database.close();
  };

  test("because files of somebody else are in it", async () => {
    directory = temporaryDirectory();
    fs.mkdirSync(path.join(directory, "pgdata"));
    fs.writeFileSync(path.join(directory, "pgdata/thesis.txt"), "precious");
    await expect(open(directory)).rejects.toMatchObject({ code: "data-dir-foreign", message: expect.stringContaining("--data-dir") });
    expect(fs.readFileSync(path.join(directory, "pgdata/thesis.txt"), "utf8")).toBe("precious");
  });

  test.each(["PG_VERSION", "global/pg_control"])("because %s is gone: nothing new is made in its place", async (file) => {
    await makeInstallation();
    fs.rmSync(path.join(pgdata, file));
    await expect(open(directory)).rejects.toMatchObject({ code: "data-dir-corrupt", message: expect.stringContaining(file) });
    expect(fs.existsSync(path.join(pgdata, file))).toBe(false);
  });

  test("because its control file is damaged", async () => {
    await makeInstallation();
    fs.writeFileSync(path.join(pgdata, "global/pg_control"), Buffer.alloc(8192, 0xff));
    await expect(open(directory)).rejects.toMatchObject({ code: "data-dir-corrupt", message: expect.stringContaining("backup") });
  });

  test("because its WAL is gone", async () => {
    await makeInstallation();
    for (const name of fs.readdirSync(path.join(pgdata, "pg_wal"))) fs.rmSync(path.join(pgdata, "pg_wal", name), { recursive: true });
    await expect(open(directory)).rejects.toMatchObject({ code: "data-dir-corrupt" });
  });

  test("because another PostgreSQL wrote it", async () => {
    await makeInstallation();
    fs.writeFileSync(path.join(pgdata, "PG_VERSION"), "17\n");
    await expect(open(directory)).rejects.toMatchObject({ code: "data-dir-version", message: expect.stringContaining("--migrate-to") });
  });

  test("because the database inside is not the one that was made there", async () => {
    await makeInstallation();
    fs.writeFileSync(path.join(pgdata, "flow-run.json"), JSON.stringify({ id: "00000000-0000-4000-8000-000000000000" }));
    await expect(open(directory)).rejects.toMatchObject({ code: "data-dir-corrupt" });
  });

  test("and after a refusal the lock is free again", async () => {
    await makeInstallation();
    await expect(open(directory, { openTimeoutMs: 1 })).rejects.toMatchObject({ code: "database-open-timeout" });
    expect(await (await open(directory)).query("SELECT a FROM t")).toEqual([{ a: 7 }]);
  });
});

describe("one process per directory", { timeout: SLOW_MS }, () => {
  test("a second open in the same process is refused and names it", async () => {
    const directory = temporaryDirectory();
    await open(directory);
    await expect(open(directory)).rejects.toMatchObject({
      code: "data-dir-locked",
      message: expect.stringContaining(String(process.pid)),
      details: { directory, pid: process.pid },
    });
  });

  test("another process is refused while the holder lives, even stopped, and let in as soon as the holder is killed", async () => {
    const directory = temporaryDirectory();
    const holder = hold(directory);
    await holder.line((line) => line === "open");
    const refused = expect.objectContaining({ code: "data-dir-locked", details: { directory, pid: holder.process.pid } });
    await expect(open(directory)).rejects.toEqual(refused);
    holder.process.kill("SIGSTOP");
    await expect(open(directory)).rejects.toEqual(refused);
    holder.process.kill("SIGKILL");
    await holder.ended;
    expect(await (await open(directory)).query("SELECT count(*) AS n FROM kept")).toEqual([{ n: 0 }]);
  });
});

describe("the process", { timeout: SLOW_MS }, () => {
  test("killed in the middle of writing, again and again, loses no acknowledged row", async () => {
    const directory = temporaryDirectory();
    const all: number[] = [];
    for (let round = 1; round <= 3; round++) {
      const holder = hold(directory);
      await holder.line((line) => line === "open");
      holder.say("write");
      await holder.line(() => acknowledged(holder).length >= 150);
      holder.process.kill("SIGKILL");
      await holder.ended;
      all.push(...acknowledged(holder));
    }
    const database = await open(directory);
    const rows = await database.query<{ id: number }>("SELECT id FROM kept");
    const stored = new Set(rows.map((row) => row.id));
    expect(stored.size).toBe(rows.length);
    expect(all.filter((id) => !stored.has(id))).toEqual([]);
    await database.exec("SET enable_seqscan = off");
    const byIndex = await database.query<{ n: number }>("SELECT count(*) AS n FROM kept WHERE id = ANY($1::int8[])", [all]);
    expect(byIndex).toEqual([{ n: all.length }]);
  });

  test("told to end by SIGINT or SIGTERM keeps its database until it closes it itself", async () => {
    const directory = temporaryDirectory();
    const holder = hold(directory);
    await holder.line((line) => line === "open");
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      holder.process.kill(signal);
      await holder.line((line) => line === signal);
    }
    holder.say("write");
    await holder.line((line) => line.startsWith("ack "));
    holder.say("close");
    await holder.line((line) => line === "closed");
    expect(await holder.ended).toEqual({ code: 0, signal: null });
  });

  test("dies at once when the disk fails to store, before it acknowledges anything more", async () => {
    const directory = temporaryDirectory();
    const flag = path.join(directory, "broken");
    const holder = hold(directory, { nodeArgs: [`--import=${BREAK_FSYNC.pathname}`], env: { BREAK_FSYNC: flag } });
    await holder.line((line) => line === "open");
    holder.say("write");
    await holder.line(() => acknowledged(holder).length >= 20);
    fs.writeFileSync(flag, "");
    expect((await holder.ended).signal).toBe("SIGKILL");
    expect(holder.stderr()).toContain("the disk failed to store data");
    fs.rmSync(flag);
    const rows = await (await open(directory)).query<{ id: number }>("SELECT id FROM kept");
    const stored = new Set(rows.map((row) => row.id));
    expect(acknowledged(holder).filter((id) => !stored.has(id))).toEqual([]);
  });
});

describe("the server inside", { timeout: SLOW_MS }, () => {
  test("that breaks down fails everything under way and later as unavailable, and tells the owner once", async () => {
    const directory = temporaryDirectory();
    const fatal: Error[] = [];
    const database = await open(directory, { onFatal: (error) => fatal.push(error) });
    await database.exec("CREATE TABLE t (a text)");
    fs.rmSync(path.join(directory, "pgdata/pg_wal"), { recursive: true });
    // The next WAL segment cannot be made any more, which PostgreSQL answers with PANIC.
    const writes = await Promise.allSettled(
      Array.from({ length: 40 }, () =>
        database.query("INSERT INTO t SELECT repeat(md5(random()::text), 3000) FROM generate_series(1, $1)", [20]),
      ),
    );
    const failed = writes.filter((write) => write.status === "rejected");
    expect(failed.length).toBeGreaterThan(0);
    for (const write of failed) expect(write.reason).toMatchObject({ code: "database-unavailable" });
    await expect(database.query("SELECT 1")).rejects.toMatchObject({ code: "database-unavailable" });
    expect(fatal).toHaveLength(1);
    await database.close();
  });

  test("ends a transaction whose work goes silent, so that others can go on", async () => {
    const database = await open(temporaryDirectory());
    await database.exec("CREATE TABLE t (a int)");
    const silent = database.transaction(
      async (tx) => {
        await tx.query("INSERT INTO t VALUES ($1)", [1]);
        await new Promise(() => {});
      },
      { timeoutMs: 100 },
    );
    const other = database.query("SELECT count(*) AS n FROM t WHERE a > $1", [0]);
    await expect(silent).rejects.toMatchObject({ code: "database-unavailable" });
    expect(await other).toEqual([{ n: 0 }]);
  });

  test("is not given up because one statement took longer than its caller wanted to wait", async () => {
    const database = await open(temporaryDirectory());
    const slow = database.query("SELECT count(*) FROM generate_series(1, $1)", [2_000_000], { timeoutMs: 1 });
    await expect(slow).rejects.toMatchObject({ code: "database-unavailable" });
    expect(await database.query("SELECT $1::int AS n", [1])).toEqual([{ n: 1 }]);
  });

  test("works with little memory", async () => {
    const database = await open(temporaryDirectory(), { smallMemory: true });
    expect(await database.batch([["SELECT 1 AS n"]])).toEqual([[{ n: 1 }]]);
  });

  test("vacuums and analyzes by itself what was changed a lot", async () => {
    const { database, maintain } = await openWithDetails(temporaryDirectory());
    await database.exec("CREATE TABLE churn (a int); INSERT INTO churn SELECT generate_series(1, 20000); UPDATE churn SET a = a + 1");
    const look = () =>
      database.query<{ dead: number; vacuumed: boolean; analyzed: boolean }>(
        "SELECT n_dead_tup AS dead, last_vacuum IS NOT NULL AS vacuumed, last_analyze IS NOT NULL AS analyzed FROM pg_stat_user_tables WHERE relname = 'churn'",
      );
    await eventually(async () => {
      maintain();
      expect(await look()).toEqual([{ dead: 0, vacuumed: true, analyzed: true }]);
    });
  });

  test("checkpoints by itself, so that WAL does not grow with what was written", async () => {
    const { database, maintain } = await openWithDetails(temporaryDirectory());
    await database.exec("CREATE TABLE t (a text)");
    for (let i = 0; i < 12; i++) {
      await database.query("INSERT INTO t SELECT repeat(md5(random()::text), 50) FROM generate_series(1, $1)", [5000]);
      await database.exec("TRUNCATE t");
      maintain();
    }
    await eventually(async () => {
      maintain();
      const [row] = await database.query<{ behind: number }>(
        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 AS behind FROM pg_control_checkpoint()",
      );
      expect(row?.behind).toBeLessThan(40_000_000);
    });
  });
});

const canMount = process.platform === "linux" && process.getuid?.() === 0;

describe.skipIf(!canMount)("a full disk (needs root, for a small file system)", { timeout: SLOW_MS }, () => {
  test("is reported as such, to writers and at opening, heals when space is freed, and nothing acknowledged is lost", async () => {
    const directory = temporaryDirectory();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=90m", "tmpfs", directory]);
    const ballast = path.join(directory, "ballast");
    try {
      const database = await open(directory, { onFatal: () => {} });
      await database.exec("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a text)");
      const { bavail, bsize } = fs.statfsSync(directory);
      fs.writeFileSync(ballast, Buffer.alloc(bavail * bsize - 3_000_000));
      let stored = 0;
      const write = async () => {
        await database.query("INSERT INTO t (a) SELECT repeat(md5(random()::text), 3000) FROM generate_series(1, $1)", [10]);
        stored += 10;
      };
      await expect(
        (async () => {
          for (;;) await write();
        })(),
      ).rejects.toMatchObject({ code: "database-full", retryable: true });
      fs.truncateSync(ballast, 0);
      await write();
      await database.close();
      const { bavail: now } = fs.statfsSync(directory);
      fs.writeFileSync(ballast, Buffer.alloc(now * bsize - 1_000_000));
      await expect(open(directory)).rejects.toMatchObject({ code: "database-full" });
      fs.rmSync(ballast);
      expect(await (await open(directory)).query("SELECT count(*) AS n FROM t")).toEqual([{ n: stored }]);
    } finally {
      await Promise.all(opened.splice(0).map((database) => database.close()));
      execFileSync("umount", ["-l", directory]);
    }
  });
});
