import { once } from "node:events";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDatabase, type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { freshPostgresUrl } from "../../../../test/support/shared-databases.ts";
import { type Database, openPostgres, type PostgresSettings, StoreUnavailableError } from "../index.ts";

const unavailable = expect.objectContaining({ code: "database-unavailable", retryable: true });

let url: string;
const opened: Database[] = [];

beforeAll(async () => {
  url = await freshPostgresUrl();
});
afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()));
});

async function open(settings: Partial<PostgresSettings> = {}): Promise<Database> {
  const database = await openPostgres({ connectionString: url, ...settings });
  opened.push(database);
  return database;
}

/** Ends sessions from outside, as an administrator would. */
async function terminate(condition: string): Promise<number> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const { rowCount } = await admin.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${condition}`,
  );
  await admin.end();
  return rowCount ?? 0;
}

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 20_000; ; await pause(20)) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

describe("opening", () => {
  test("sets the time limits on every connection, the heartbeat's too", async () => {
    const database = await open({ statementTimeoutMs: 7000, lockTimeoutMs: 3000, idleInTransactionTimeoutMs: 6000 });
    const limits =
      "SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock, current_setting('idle_in_transaction_session_timeout') AS idle";
    for (const connection of ["shared", "heartbeat"] as const) {
      expect(await database.query(limits, [], { connection })).toEqual([{ statement: "7s", lock: "3s", idle: "6s" }]);
    }
  });

  test("gives sessions the meaning that our statements rely on, whatever the database's defaults are", async () => {
    const peculiar = await freshPostgresUrl();
    const name = new URL(peculiar).pathname.slice(1);
    await (await open()).exec(
      `ALTER DATABASE ${name} SET timezone = 'Asia/Kathmandu'; ALTER DATABASE ${name} SET datestyle = 'German'; ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`,
    );
    const database = await open({ connectionString: peculiar });
    const [row] = await database.query(
      "SELECT '2026-01-01T20:00:00Z'::timestamptz AS time, ('2026-01-01T20:00:00Z'::timestamptz)::date AS date, current_setting('transaction_isolation') AS isolation",
    );
    expect(row).toEqual({ time: new Date("2026-01-01T20:00:00Z"), date: "2026-01-01", isolation: "read committed" });
  });

  test("refuses a database that acknowledges commits before they are safe, unless told to accept it", async () => {
    const careless = await freshPostgresUrl();
    const name = new URL(careless).pathname.slice(1);
    const first = await open();
    await first.exec(`ALTER DATABASE ${name} SET synchronous_commit = off`);
    await expect(openPostgres({ connectionString: careless })).rejects.toMatchObject({
      code: "database-not-durable",
      message: expect.stringContaining("synchronous_commit"),
    });
    await (await openPostgres({ connectionString: careless, allowUnsafeDurability: true })).close();
  });

  test("says that the address is wrong when the database is not there", async () => {
    const missing = Object.assign(new URL(url), { pathname: "/missing" }).href;
    await expect(openPostgres({ connectionString: missing })).rejects.toMatchObject({
      code: "database-refused",
      message: expect.stringContaining("DATABASE_URL"),
    });
  });

  test("gives up as unavailable when nobody listens, and when somebody listens and says nothing", async () => {
    const mute = net.createServer(() => {}).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as net.AddressInfo;
    const settings = { connectionString: `postgres://x@127.0.0.1:${port}/x`, connectTimeoutMs: 200 };
    await expect(openPostgres(settings)).rejects.toThrow(StoreUnavailableError);
    mute.close();
    await expect(openPostgres({ ...settings, connectionString: "postgres://x@127.0.0.1:1/x" })).rejects.toThrow(StoreUnavailableError);
  });
});

describe("time limits", () => {
  test("a statement beyond its limit is unavailable, and a longer one can be asked for", async () => {
    const database = await open({ statementTimeoutMs: 150 });
    await expect(database.query("SELECT pg_sleep($1)", [5])).rejects.toEqual(unavailable);
    await database.query("SELECT pg_sleep($1)", [0.3], { timeoutMs: 5000 });
    await database.exec("SELECT pg_sleep(0.3)");
    await expect(database.query("SELECT pg_sleep($1)", [5])).rejects.toEqual(unavailable);
  });

  test("waiting for a lock beyond its limit is unavailable", async () => {
    const database = await open({ lockTimeoutMs: 100 });
    await database.exec("CREATE TABLE locked (a int)");
    await database.transaction(async (tx) => {
      await tx.exec("LOCK TABLE locked");
      const rival = await open({ lockTimeoutMs: 100 });
      await expect(rival.query("SELECT a FROM locked WHERE a = $1", [1])).rejects.toEqual(unavailable);
    });
  });

  test("a transaction whose owner goes silent is ended, and its work rejects as unavailable", async () => {
    const database = await open({ idleInTransactionTimeoutMs: 100 });
    const run = database.transaction(async (tx) => {
      await tx.query("SELECT 1");
      await pause(600);
      await tx.query("SELECT 2");
    });
    await expect(run).rejects.toEqual(unavailable);
  });

  test("no free connection in time is unavailable, while heartbeats still pass", async () => {
    const database = await open({ maxConnections: 1, connectTimeoutMs: 150 });
    const busy = database.query("SELECT pg_sleep($1)", [0.6]);
    await expect(database.query("SELECT 1")).rejects.toEqual(unavailable);
    expect(await database.query("SELECT 1 AS n", [], { connection: "heartbeat" })).toEqual([{ n: 1 }]);
    await busy;
  });
});

describe("a connection that is killed", () => {
  test("during a statement: that one is unavailable, the next one works", async () => {
    const database = await open();
    const running = database.query("SELECT pg_sleep($1) AS killed", [20]);
    running.catch(() => {});
    await eventually(async () => expect(await terminate("query LIKE '%AS killed%'")).toBe(1));
    await expect(running).rejects.toEqual(unavailable);
    expect(await database.query("SELECT $1::int AS n", [1])).toEqual([{ n: 1 }]);
  });

  test("between two statements of a transaction: the transaction is unavailable and has done nothing", async () => {
    const database = await open();
    await database.exec("CREATE TABLE cut (a int)");
    const run = database.transaction(async (tx) => {
      await tx.query("INSERT INTO cut VALUES ($1)", [1]);
      await terminate("query LIKE 'INSERT INTO cut%'");
      await tx.query("INSERT INTO cut VALUES ($1)", [2]);
    });
    await expect(run).rejects.toEqual(unavailable);
    expect(await database.query("SELECT a FROM cut")).toEqual([]);
  });

  test("during a batch: all or nothing, and it is unavailable", async () => {
    const database = await open();
    await database.exec("CREATE TABLE batched (a int)");
    const running = database.batch([
      ["INSERT INTO batched VALUES (1)"],
      ["SELECT pg_sleep(20) AS batch_killed"],
      ["INSERT INTO batched VALUES (2)"],
    ]);
    running.catch(() => {});
    await eventually(async () => expect(await terminate("query LIKE '%AS batch_killed%'")).toBe(1));
    await expect(running).rejects.toEqual(unavailable);
    expect(await database.query("SELECT a FROM batched")).toEqual([]);
  });

  test("while idle in the pool: nobody notices", async () => {
    const lost: Error[] = [];
    const database = await open({ onConnectionLost: (error) => lost.push(error) });
    await Promise.all(Array.from({ length: 4 }, () => database.query("SELECT pg_sleep($1)", [0.05])));
    await terminate("application_name = 'flow-run pool'");
    await eventually(async () => expect(lost.length).toBeGreaterThan(0));
    expect(await database.query("SELECT $1::int AS n", [1])).toEqual([{ n: 1 }]);
  });

  test("while listening: it listens again, says that something may have been missed, and hears the next notification", async () => {
    const database = await open();
    const heard: string[] = [];
    let connections = 0;
    const subscription = await database.listen(
      "calls",
      (payload) => heard.push(payload),
      () => connections++,
    );
    await terminate("application_name = 'flow-run listen' AND query LIKE '%calls%'");
    await eventually(async () => expect(connections).toBe(2));
    await database.query("SELECT pg_notify('calls', $1)", ["again"]);
    await eventually(async () => expect(heard).toEqual(["again"]));
    await subscription.close();
  });
});

describe("a server of its own", () => {
  let server: PostgresServer;
  let own: string;

  beforeAll(async () => {
    server = await startPostgres();
    own = await createDatabase(server.url);
  });
  afterAll(() => server.stop());

  test("that crashes and comes back: every acknowledged row is there, and the same database object goes on", async () => {
    const database = await open({ connectionString: own });
    let reconnects = 0;
    await database.listen(
      "x",
      () => {},
      () => reconnects++,
    );
    await database.exec("CREATE TABLE kept (id int PRIMARY KEY)");
    const acknowledged: number[] = [];
    let failures = 0;
    let next = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        const id = next++;
        await database.query("INSERT INTO kept VALUES ($1)", [id]).then(
          () => acknowledged.push(id),
          (error) => {
            expect(error).toEqual(unavailable);
            failures++;
          },
        );
        if (failures > 0) await pause(10);
      }
    })();
    await eventually(async () => expect(acknowledged.length).toBeGreaterThan(20));
    await server.restart("immediate");
    const before = acknowledged.length;
    await eventually(async () => expect(acknowledged.length).toBeGreaterThan(before + 20));
    writing = false;
    await writer;
    expect(failures).toBeGreaterThan(0);
    const rows = await database.query<{ id: number }>("SELECT id FROM kept");
    const stored = new Set(rows.map((row) => row.id));
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    await eventually(async () => expect(reconnects).toBeGreaterThan(1));
  });

  test("that is down makes statements unavailable at once, not after a wait", async () => {
    const database = await open({ connectionString: own });
    await server.halt("fast");
    await expect(database.query("SELECT $1::int", [1])).rejects.toEqual(unavailable);
    await server.start();
    await eventually(() => database.query("SELECT $1::int", [1]));
  });

  test("that freezes in the middle of a statement does not hold the caller for ever", async () => {
    const database = await open({ connectionString: own, statementTimeoutMs: 100, connectTimeoutMs: 300 });
    const [row] = await database.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const pid = row?.pid as number;
    process.kill(pid, "SIGSTOP");
    try {
      await expect(database.query("SELECT $1::int", [1])).rejects.toEqual(unavailable);
      expect(await database.query("SELECT $1::int AS n", [1])).toEqual([{ n: 1 }]); // on another connection
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });
});
