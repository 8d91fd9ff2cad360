// Moving an embedded installation to a PostgreSQL server: everything, once, all or nothing. The drivers are loaded when it is done, not with this file.
import type { CopyProgress } from "./copy-database.ts";

export interface MigrateToOptions {
  /** The installation's directory (`.flow-run/`). No server may be running on it. */
  directory: string;
  /** An empty PostgreSQL database. */
  databaseUrl: string;
  /** Accept a server that may forget commits when it crashes. Default false. */
  allowUnsafeDurability?: boolean;
  /** Called again and again while a table is copied. */
  onProgress?: (progress: CopyProgress) => void;
}

export interface MovedInstallation {
  tables: CopyProgress[];
  /** Where the old files are now; they are not used any more and can be deleted when the new server has proved itself. */
  oldDirectory: string;
}

/**
 * Copies the embedded database to PostgreSQL, compares both, and puts the old files aside so that no server starts on them by mistake. When it fails,
 * the old installation is untouched and the target as empty as before: put right what the message says and run it again. Throws codes
 * `nothing-to-migrate`, `data-dir-locked`, `target-not-empty`, and those of opening either database.
 */
export async function migrateTo(options: MigrateToOptions): Promise<MovedInstallation> {
  const { moveInstallation } = await import("./move-installation.ts");
  return moveInstallation(options);
}
