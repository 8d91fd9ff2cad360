import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { FlowRunError } from "@flow-run/spec";
import type { Database, Transaction } from "./database/index.ts";

interface Migration {
  version: number;
  name: string;
  sql: string;
  checksum: string;
}

/** Held by whoever migrates, for the length of a transaction. Any number of our own will do. */
const LOCK = 7_102_638_455;

/** The queue makes everything in its schema one process at a time, but not the schema itself. */
const BOOKKEEPING = `
CREATE SCHEMA IF NOT EXISTS pgboss;
CREATE SCHEMA IF NOT EXISTS flow_run;
CREATE TABLE IF NOT EXISTS flow_run.migration (
  version integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);`;

/** The plain .sql files beside this one, `NNNN_name.sql`, in order. */
export async function readMigrations(directory = new URL("./migrations/", import.meta.url)): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, directory), "utf8");
      // A checkout with other line ends is the same migration.
      const checksum = createHash("sha256").update(sql.replaceAll("\r\n", "\n")).digest("hex");
      return { version: Number(file.slice(0, 4)), name: file.slice(5, -4), sql, checksum };
    }),
  );
}

/**
 * Brings the database's schema to this program's version: each migration in a transaction of its own, processes one after the other.
 * Throws code `database-newer` when a newer program has been here, `database-changed` when a migration that was applied is not ours.
 */
export async function migrate(database: Database, migrations?: readonly Migration[]): Promise<void> {
  const ours = migrations ?? (await readMigrations());
  for (const migration of [null, ...ours]) {
    await database.transaction(
      async (tx) => {
        await tx.exec("SET LOCAL lock_timeout = 0");
        await tx.query("SELECT pg_advisory_xact_lock($1::bigint)", [LOCK]);
        if (migration === null) return begin(tx, ours);
        const [applied] = await tx.query<{ checksum: string }>("SELECT checksum FROM flow_run.migration WHERE version = $1", [
          migration.version,
        ]);
        if (applied) return assertSame(applied.checksum, migration);
        await tx.exec(migration.sql);
        await tx.query("INSERT INTO flow_run.migration (version, name, checksum) VALUES ($1, $2, $3)", [
          migration.version,
          migration.name,
          migration.checksum,
        ]);
      },
      { timeoutMs: 0 },
    );
  }
}

async function begin(tx: Transaction, ours: readonly Migration[]): Promise<void> {
  const [exists] = await tx.query<{ table: string | null }>("SELECT to_regclass('flow_run.migration')::text AS table");
  if (!exists?.table) return tx.exec(BOOKKEEPING);
  const [newest] = await tx.query<{ version: number | null }>("SELECT max(version) AS version FROM flow_run.migration");
  const known = ours.at(-1)?.version ?? 0;
  if ((newest?.version ?? 0) <= known) return;
  throw new FlowRunError(
    "database-newer",
    `The database has schema version ${newest?.version}, but this flow-run knows versions up to ${known}. Use the flow-run that upgraded it, or a newer one.`,
  );
}

function assertSame(checksum: string, migration: Migration): void {
  if (checksum === migration.checksum) return;
  throw new FlowRunError(
    "database-changed",
    `Migration ${migration.version} (${migration.name}) was applied to the database in another form than this flow-run has it. ` +
      "Use a released flow-run; databases of development versions must be made anew.",
  );
}
