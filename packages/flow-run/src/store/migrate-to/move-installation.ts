import fs from "node:fs";
import path from "node:path";
import { FlowRunError } from "@flow-run/spec";
import { openPostgres } from "../database/index.ts";
import { MIGRATED_DIRECTORY, openPgliteWithDetails } from "../database/pglite/open-pglite.ts";
import { type CopyProgress, copyDatabase } from "./copy-database.ts";
import type { MigrateToOptions, MovedInstallation } from "./index.ts";

export async function moveInstallation(options: MigrateToOptions): Promise<MovedInstallation> {
  const { directory, databaseUrl, allowUnsafeDurability = false, onProgress = () => {} } = options;
  assertThereIsSomething(directory);
  const target = await openPostgres({ connectionString: databaseUrl, allowUnsafeDurability });
  try {
    let lost: Error | undefined;
    const source = await openPgliteWithDetails({
      directory,
      templateFile: null,
      onFatal: (error) => {
        lost = error; // the copy fails with it
      },
    });
    let tables: CopyProgress[];
    try {
      tables = await copyDatabase(source.database, target, onProgress);
    } catch (error) {
      await source.database.close();
      throw lost ?? error;
    }
    return { tables, oldDirectory: await source.retire(new URL(databaseUrl).host) };
  } finally {
    await target.close();
  }
}

function assertThereIsSomething(directory: string): void {
  if (fs.existsSync(path.join(directory, "pgdata"))) return;
  const moved = fs.existsSync(path.join(directory, MIGRATED_DIRECTORY));
  throw new FlowRunError(
    "nothing-to-migrate",
    moved
      ? `The embedded database of ${directory} was moved to PostgreSQL before. Set DATABASE_URL and start the server.`
      : `There is no embedded database in ${directory}. Name its directory with --data-dir.`,
  );
}
