import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Database } from "../database.ts";
import { MIGRATED_DIRECTORY } from "./data-directory.ts";
import { lockDirectory } from "./directory-lock.ts";
import { syncDirectory } from "./fsync-node-fs.ts";
import { PgliteDatabase } from "./pglite-database.ts";
import { WorkerHandle, type WorkerOpened } from "./worker-handle.ts";

export interface PgliteSettings {
  /** The installation's directory (`.flow-run/`): takes `.lock`, `.lock.json` and `pgdata/`. Made when it is not there. */
  directory: string;
  /**
   * Called at most once, when the database is lost while in use (its thread ended, its files failed). Every statement fails from then on; the process
   * should end and be started again, which recovers what was committed.
   */
  onFatal: (error: Error) => void;
  /** How long opening may take, recovery included. Default 60000. */
  openTimeoutMs?: number;
  /** A template with the schema already in it, for a quick first start; ignored when the file does not exist. Default: the one of this build. */
  templateFile?: string | null;
  /**
   * Peak of 0.3 instead of 0.8 GB for about a fifth more CPU, in all WebAssembly of this process. Default: when the machine, or the container, has less
   * than 1.5 GB.
   */
  smallMemory?: boolean;
  /** Vacuum, analyze and checkpoint by itself. Default true. */
  maintenance?: boolean;
}

/** The embedded database, and how it came up. */
export interface OpenedPglite {
  database: Database;
  opened: WorkerOpened;
  /** Looks for maintenance now instead of in some seconds. */
  maintain(): void;
  /** Closes for good: the files are put aside, still under the lock, and the directory refuses to be opened again. Returns where they are. */
  retire(movedTo: string): Promise<string>;
}

export { MIGRATED_DIRECTORY };

/** Made by the build, from the migrations of the same build. */
const TEMPLATE_FILE = path.join(import.meta.dirname, "..", "template.bin");

/**
 * Opens, or makes, the embedded database of a directory. Throws codes `data-dir-locked`, `data-dir-foreign`, `data-dir-migrated`,
 * `data-dir-network`, `data-dir-version`, `data-dir-corrupt`, `database-full`, `database-open-timeout` and `database-open-failed`.
 */
export async function openPglite(settings: PgliteSettings): Promise<Database> {
  return (await openPgliteWithDetails(settings)).database;
}

export async function openPgliteWithDetails(settings: PgliteSettings): Promise<OpenedPglite> {
  const {
    directory,
    onFatal,
    openTimeoutMs = 60_000,
    templateFile = TEMPLATE_FILE,
    smallMemory = hasLittleMemory(),
    maintenance = true,
  } = settings;
  const release = lockDirectory(directory);
  try {
    const template = templateFile !== null && fs.existsSync(templateFile) ? templateFile : null;
    const worker = new WorkerHandle({ directory, templateFile: template, smallMemory, maintenance }, onFatal);
    const opened = await worker.open(openTimeoutMs);
    const database = new PgliteDatabase(worker, release);
    await database.connect();
    return {
      database,
      opened,
      maintain: () => worker.maintain(),
      async retire(movedTo) {
        const aside = path.join(directory, MIGRATED_DIRECTORY);
        await database.closeThen(() => {
          fs.renameSync(path.join(directory, "pgdata"), aside);
          fs.writeFileSync(path.join(aside, "MOVED.txt"), `Moved to the PostgreSQL server ${movedTo} at ${new Date().toISOString()}.\n`);
          syncDirectory(directory);
        });
        return aside;
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

function hasLittleMemory(): boolean {
  return Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, os.totalmem()) < 1.5 * 1024 ** 3;
}
