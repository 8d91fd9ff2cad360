import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe } from "vitest";
import { type Database, openPglite, openPostgres } from "../../src/store/database/index.ts";
import { emptyTemplateFile, freshPostgresUrl } from "./shared-databases.ts";

/** Opens a fresh, empty database each time; all are closed at the end of the suite. */
export type OpenDatabase = () => Promise<Database>;

/** Runs one suite on every adapter. */
export function describeEachDatabase(name: string, suite: (open: OpenDatabase, kind: Database["kind"]) => void): void {
  describe(`${name} (PostgreSQL)`, () => {
    suite(
      tracked(async () => openPostgres({ connectionString: await freshPostgresUrl() })),
      "postgres",
    );
  });
  describe(`${name} (embedded)`, () => {
    suite(
      tracked(async () => {
        const directory = temporaryDirectory();
        return openPglite({
          directory,
          templateFile: await emptyTemplateFile(),
          onFatal: (error) => {
            throw error;
          },
        });
      }),
      "pglite",
    );
  });
}

function tracked(open: OpenDatabase): OpenDatabase {
  const opened: Database[] = [];
  afterAll(async () => {
    await Promise.all(opened.map((database) => database.close()));
  });
  return async () => {
    const database = await open();
    opened.push(database);
    return database;
  };
}

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) fs.rmSync(directory, { recursive: true, force: true });
});

/** A new directory that is removed at the end of the test file. */
export function temporaryDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "flow-run-test-"));
  directories.push(directory);
  return directory;
}
