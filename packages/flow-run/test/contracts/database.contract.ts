import { beforeAll, describe, expect, test } from "vitest";
import { type Database, StoreUnavailableError } from "../../src/store/database/index.ts";
import type { OpenDatabase } from "../support/describe-each-database.ts";

const sqlState = (code: string) => expect.objectContaining({ code });

/** What every adapter of the database port promises. */
export function databaseContract(open: OpenDatabase): void {
  let database: Database;

  beforeAll(async () => {
    database = await open();
    await database.exec(`
      CREATE TABLE item (id int8 PRIMARY KEY, body jsonb NOT NULL DEFAULT '{}');
      CREATE TABLE part (item int8 REFERENCES item DEFERRABLE INITIALLY DEFERRED);
    `);
  });

  const count = async () => (await database.query<{ n: number }>("SELECT count(*) AS n FROM item"))[0]?.n;

  describe("values", () => {
    test("int8 is a number as long as that is exact, and a bigint beyond", async () => {
      const [row] = await database.query(
        "SELECT 9007199254740991::int8 AS exact, 9007199254740993::int8 AS beyond, ARRAY[1, 2]::int8[] AS list",
      );
      expect(row).toEqual({ exact: 9007199254740991, beyond: 9007199254740993n, list: [1, 2] });
    });

    test("times are Dates, dates and exact decimals strings, JSON parsed, bytes a Buffer", async () => {
      const [row] = await database.query(
        "SELECT '2026-01-02T03:04:05.678Z'::timestamptz AS time, '2026-01-02'::date AS date, 1.50::numeric AS price, '[1]'::jsonb AS json, '\\x00ff'::bytea AS bytes, true AS yes",
      );
      expect(row).toEqual({
        time: new Date("2026-01-02T03:04:05.678Z"),
        date: "2026-01-02",
        price: "1.50",
        json: [1],
        bytes: Buffer.from([0, 255]),
        yes: true,
      });
    });

    test("a list of JSON values goes in as text[] cast to jsonb[]", async () => {
      const values = [{ quote: '"', backslash: "\\", brace: "}" }, [null], "text"];
      const rows = await database.query("SELECT v FROM unnest($1::text[]::jsonb[]) AS v", [values.map((value) => JSON.stringify(value))]);
      expect(rows.map((row) => row.v)).toEqual(values);
    });

    test("null, booleans, numbers, times as text and lists with nulls arrive as they were", async () => {
      const [row] = await database.query(
        "SELECT $1::text AS a, $2::bool AS b, $3::float8 AS c, $4::timestamptz AS d, $5::text[] AS e, $6::int4[] AS f",
        [null, false, 0.1, "2026-01-02T03:04:05.678Z", ["x", null, 'q"\\{},'], []],
      );
      expect(row).toEqual({ a: null, b: false, c: 0.1, d: new Date("2026-01-02T03:04:05.678Z"), e: ["x", null, 'q"\\{},'], f: [] });
    });

    test("5 MB of JSON go in and come back unchanged", async () => {
      const text = "é🙂\n".repeat(1_000_000);
      const [row] = await database.query<{ back: { text: string } }>("SELECT $1::jsonb AS back", [JSON.stringify({ text })]);
      expect(row?.back.text === text).toBe(true);
    });

    test("a NUL character is refused with code invalid-text, in text and inside JSON", async () => {
      await expect(database.query("SELECT $1::text", ["a\0b"])).rejects.toMatchObject({ code: "invalid-text", retryable: false });
      await expect(database.query("SELECT $1::jsonb", [JSON.stringify("a\0b")])).rejects.toMatchObject({ code: "invalid-text" });
      await expect(database.batch([["SELECT $1::text", ["a\0b"]]])).rejects.toMatchObject({ code: "invalid-text" });
    });

    test("a value that cannot be converted fails before anything is sent, and the next statement works", async () => {
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      const before = await count();
      await expect(
        database.batch([
          ["INSERT INTO item (id) VALUES ($1)", [-1]],
          ["SELECT $1::jsonb", [circular]],
        ]),
      ).rejects.toThrow(TypeError);
      expect(await count()).toBe(before);
    });
  });

  describe("batch", () => {
    test("gives the rows of each statement in order, also of those without rows", async () => {
      const results = await database.batch([
        ["INSERT INTO item (id) VALUES ($1) RETURNING id", [100]],
        ["SELECT 1 AS one WHERE false"],
        ["UPDATE item SET body = '1' WHERE id = 100"],
        ["SELECT id, body FROM item WHERE id = $1", [100]],
      ]);
      expect(results).toEqual([[{ id: 100 }], [], [], [{ id: 100, body: 1 }]]);
    });

    test("of one statement, and of none, works", async () => {
      expect(await database.batch([["SELECT 7 AS n"]])).toEqual([[{ n: 7 }]]);
      expect(await database.batch([])).toEqual([]);
    });

    test.each([
      ["at run time", "SELECT 1 / $1::int", [0], "22012"],
      ["when it is parsed", "SELEC 1", [], "42601"],
      ["when it is bound", "SELECT $1::int", ["x"], "22P02"],
    ])("a statement that fails %s undoes the ones before and skips the ones after", async (_when, text, params, code) => {
      const before = await count();
      await expect(
        database.batch([
          ["INSERT INTO item (id) VALUES ($1)", [201]],
          [text, params],
          ["INSERT INTO item (id) VALUES ($1)", [202]],
        ]),
      ).rejects.toEqual(sqlState(code));
      expect(await count()).toBe(before);
    });

    test("a constraint that is only checked at commit fails the batch and undoes it", async () => {
      const before = await count();
      await expect(database.batch([["INSERT INTO item (id) VALUES (301)"], ["INSERT INTO part (item) VALUES (999)"]])).rejects.toEqual(
        sqlState("23503"),
      );
      expect(await count()).toBe(before);
    });

    test("runs in one transaction: all its statements have the same transaction time and id", async () => {
      const [[first], [second]] = (await database.batch([
        ["SELECT now() AS at, pg_current_xact_id()::text AS id"],
        ["SELECT now() AS at, pg_current_xact_id()::text AS id"],
      ])) as [[object], [object]];
      expect(first).toEqual(second);
    });
  });

  describe("transaction", () => {
    test("commits what the work did when it resolves, and gives its result", async () => {
      const result = await database.transaction(async (tx) => {
        await tx.query("INSERT INTO item (id) VALUES ($1)", [400]);
        return (await tx.query("SELECT id FROM item WHERE id = 400"))[0];
      });
      expect(result).toEqual({ id: 400 });
      expect(await database.query("SELECT id FROM item WHERE id = 400")).toHaveLength(1);
    });

    test("rolls back when the work throws, and throws that same error", async () => {
      const mistake = new Error("no code, and not the database's");
      const run = database.transaction(async (tx) => {
        await tx.query("INSERT INTO item (id) VALUES (401)");
        throw mistake;
      });
      await expect(run).rejects.toBe(mistake);
      expect(await database.query("SELECT id FROM item WHERE id = 401")).toEqual([]);
    });

    test("does not pretend to have committed when a failed statement was ignored", async () => {
      const run = database.transaction(async (tx) => {
        await tx.query("INSERT INTO item (id) VALUES (402)");
        await tx.query("SELECT 1/0").catch(() => {});
      });
      await expect(run).rejects.toThrow("rolled back");
      expect(await database.query("SELECT id FROM item WHERE id = 402")).toEqual([]);
    });

    test("refuses the database itself inside its work, also far below it", async () => {
      const deep = async () => {
        await Promise.resolve();
        await database.query("SELECT 1");
      };
      await expect(database.transaction(() => deep())).rejects.toThrow("inside its own transaction");
      await expect(database.transaction(() => database.batch([["SELECT 1"]]))).rejects.toThrow("inside its own transaction");
      await expect(database.transaction(() => database.transaction(async () => {}))).rejects.toThrow("inside its own transaction");
    });

    test("a statement after its end is refused and not run in somebody else's session", async () => {
      const leaked = await database.transaction(async (tx) => tx);
      await expect(leaked.query("SELECT 1")).rejects.toThrow("has ended");
    });

    test("keeps other statements out: one that increments in two steps loses no increment", async () => {
      await database.exec("CREATE TABLE counter (n int NOT NULL); INSERT INTO counter VALUES (0)");
      await Promise.all(
        Array.from({ length: 8 }, () =>
          database.transaction(async (tx) => {
            const [row] = await tx.query<{ n: number }>("SELECT n FROM counter FOR UPDATE");
            await tx.query("UPDATE counter SET n = $1", [(row?.n ?? 0) + 1]);
          }),
        ),
      );
      expect(await database.query("SELECT n FROM counter")).toEqual([{ n: 8 }]);
    });

    test("runs several statements of a script, undone as a whole", async () => {
      const run = database.transaction(async (tx) => {
        await tx.exec("CREATE TABLE half (a int); INSERT INTO half VALUES (1)");
        await tx.exec("SELECT 1/0");
      });
      await expect(run).rejects.toEqual(sqlState("22012"));
      expect(await database.query("SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
    });
  });

  describe("statements", () => {
    test("many at once each get their own answer", async () => {
      const rows = await Promise.all(Array.from({ length: 300 }, (_, n) => database.query<{ n: number }>("SELECT $1::int AS n", [n])));
      expect(rows.map(([row]) => row?.n)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    });

    test("one that fails leaves those around it alone", async () => {
      const results = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => database.query("SELECT 10 / $1::int AS n", [n % 3])));
      expect(results.map((result) => result.status)).toEqual(
        Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? "rejected" : "fulfilled")),
      );
    });

    test("a mistake in SQL keeps the driver's SQLSTATE", async () => {
      await expect(database.query("SELECT * FROM missing")).rejects.toEqual(sqlState("42P01"));
      await database.query("INSERT INTO item (id) VALUES (500)");
      await expect(database.query("INSERT INTO item (id) VALUES (500)")).rejects.toEqual(sqlState("23505"));
    });

    test("a script whose own transaction fails half-way leaves nothing behind and no open transaction", async () => {
      await expect(database.exec("BEGIN; INSERT INTO item (id) VALUES (501); SELECT 1/0; COMMIT")).rejects.toEqual(sqlState("22012"));
      expect(await database.query("SELECT id FROM item WHERE id = $1", [501])).toEqual([]);
    });

    test("the heartbeat connection answers like the shared one", async () => {
      expect(await database.query("SELECT $1::int AS n", [1], { connection: "heartbeat" })).toEqual([{ n: 1 }]);
    });
  });

  describe("notifications", () => {
    test("arrive after the commit, in order, once per listener, and stop after close", async () => {
      const got: string[] = [];
      let wake = () => {};
      const arrived = (n: number) =>
        new Promise<void>((resolve) => {
          wake = () => got.length >= n && resolve();
          wake();
        });
      const receive = (payload: string) => {
        got.push(payload);
        wake();
      };
      let ready = 0;
      const subscription = await database.listen("news", receive, () => ready++);
      expect(ready).toBe(1);
      await database.batch([["SELECT pg_notify('news', 'one')"], ["SELECT pg_notify('news', 'two')"]]);
      await expect(database.batch([["SELECT pg_notify('news', 'undone')"], ["SELECT 1/0"]])).rejects.toEqual(sqlState("22012"));
      await database.query("SELECT pg_notify('news', $1)", ["three"]);
      await arrived(3);
      await subscription.close();
      const other = await database.listen("other", receive, () => {});
      await database.batch([["SELECT pg_notify('news', 'late')"], ["SELECT pg_notify('other', 'last')"]]);
      await arrived(4);
      await other.close();
      expect(got).toEqual(["one", "two", "three", "last"]);
    });
  });

  describe("for pg-boss", () => {
    test("a script with its own transaction gives the rows of all its statements", async () => {
      const { rows } = await database.pgBoss.executeSql("BEGIN; SELECT 1 AS n; SELECT 2 AS n; COMMIT");
      expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
    });
  });

  describe("after close", () => {
    test("every statement is refused as unavailable, and closing again does nothing", async () => {
      const closing = await open();
      const last = closing.query("SELECT $1::int AS n", [1]);
      await Promise.all([closing.close(), closing.close()]);
      expect(await last).toEqual([{ n: 1 }]);
      await expect(closing.query("SELECT 1")).rejects.toThrow(StoreUnavailableError);
      await expect(closing.batch([["SELECT 1"]])).rejects.toThrow(StoreUnavailableError);
    });
  });
}
