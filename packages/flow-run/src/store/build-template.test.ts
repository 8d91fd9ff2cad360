import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../test/support/describe-each-database.ts";
import { buildTemplate } from "./build-template.ts";
import { openPgliteWithDetails } from "./database/pglite/open-pglite.ts";
import { readMigrations } from "./migrate.ts";
import { prepareSchema } from "./prepare-schema.ts";

test("a first start from the template finds the whole schema there, and the file is not made twice", { timeout: 180_000 }, async () => {
  const directory = temporaryDirectory();
  const templateFile = path.join(directory, "template.bin");
  expect(await buildTemplate(templateFile)).toBe(true);
  expect(await buildTemplate(templateFile)).toBe(false);
  expect(fs.statSync(templateFile).size).toBeLessThan(3_000_000);
  const { database, opened } = await openPgliteWithDetails({
    directory: path.join(directory, "installation"),
    templateFile,
    onFatal: (error) => {
      throw error;
    },
  });
  try {
    expect(opened.fromTemplate).toBe(true);
    const schema = () =>
      database.query(
        "SELECT n.nspname, c.relname, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname IN ('flow_run', 'pgboss') ORDER BY 1, 2",
      );
    const before = await schema();
    expect(await database.query("SELECT count(*)::int AS n FROM flow_run.migration")).toEqual([{ n: (await readMigrations()).length }]);
    await prepareSchema(database);
    expect(await schema()).toEqual(before);
  } finally {
    await database.close();
  }
});
