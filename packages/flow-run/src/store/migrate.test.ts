import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { dumpSchema } from "../../test/support/dump-schema.ts";
import { migrate, readMigrations } from "./migrate.ts";

describeEachDatabase("migrations", (open) => {
  it("make the schema that is checked in", async () => {
    const database = await open();
    await migrate(database);
    await expect(await dumpSchema(database)).toMatchFileSnapshot("schema.sql");
  });

  it("are applied once, however many processes start at once", async () => {
    const database = await open();
    await Promise.all(Array.from({ length: 5 }, () => migrate(database)));
    await migrate(database);
    const applied = await database.query("SELECT version, name FROM flow_run.migration ORDER BY version");
    expect(applied).toEqual((await readMigrations()).map(({ version, name }) => ({ version, name })));
  });

  it("are all or nothing each, and go on where they stopped", async () => {
    const database = await open();
    const ours = await readMigrations();
    const version = ours.at(-1)!.version + 1;
    const broken = { version, name: "broken", checksum: "b", sql: "CREATE TABLE flow_run.half (); SELECT 1 / 0;" };
    await expect(migrate(database, [...ours, broken])).rejects.toMatchObject({ code: "22012" });
    expect(await database.query("SELECT to_regclass('flow_run.half') AS half")).toEqual([{ half: null }]);
    await migrate(database, [...ours, { ...broken, sql: "CREATE TABLE flow_run.half ()" }]);
    expect(await database.query("SELECT to_regclass('flow_run.half')::text AS half")).toEqual([{ half: "flow_run.half" }]);
  });

  it("refuse a database that a newer program has upgraded", async () => {
    const database = await open();
    const ours = await readMigrations();
    const newer = { version: 9999, name: "newer", checksum: "n", sql: "SELECT 1" };
    await migrate(database, [...ours, newer]);
    await expect(migrate(database)).rejects.toMatchObject({ code: "database-newer", message: expect.stringContaining("9999") });
  });

  it("refuse a database to which another form of a migration was applied", async () => {
    const database = await open();
    const ours = await readMigrations();
    await migrate(database, [{ ...ours[0]!, checksum: "other" }]);
    await expect(migrate(database)).rejects.toMatchObject({ code: "database-changed" });
  });
});

describe("reading migrations", () => {
  it("gives each version once, in order, without gaps", async () => {
    const files = (await readdir(new URL("./migrations/", import.meta.url))).filter((file) => file.endsWith(".sql"));
    const migrations = await readMigrations();
    expect(migrations.map(({ version }) => version)).toEqual(files.map((_, index) => index + 1));
  });

  it("has the same checksum for every way to end a line", async () => {
    const directory = pathToFileURL(`${await mkdtemp(path.join(os.tmpdir(), "migrations-"))}/`);
    await writeFile(new URL("0001_a.sql", directory), "SELECT 1;\nSELECT 2;\n");
    await writeFile(new URL("0002_b.sql", directory), "SELECT 1;\r\nSELECT 2;\r\n");
    await writeFile(new URL("notes.txt", directory), "not a migration");
    const [a, b, ...rest] = await readMigrations(directory);
    expect(a!.checksum).toBe(b!.checksum);
    expect(rest).toEqual([]);
  });
});
