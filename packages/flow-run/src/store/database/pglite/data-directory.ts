import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { syncDirectory } from "./fsync-node-fs.ts";

/** Written last into a finished data directory. Without it a directory is somebody else's, or half made. */
export const MARKER = "flow-run.json";

/** What `pgdata/` is called after the installation has moved to a server. */
export const MIGRATED_DIRECTORY = "pgdata.migrated";

/** Files without which PGlite would make a new, empty database in the place of the old one. */
const ESSENTIAL = ["PG_VERSION", "global/pg_control"];

/** Less free space than this and PGlite waits for ever while it opens. */
const NEEDED_BYTES = 16 * 1024 * 1024;

/** File system types (statfs) on which neither locks nor fsync can be trusted: NFS, SMB in its three forms, AFS. */
const NETWORK_TYPES = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f]);

/** Why a data directory was refused. `code` is a FlowRunError's. */
export class DirectoryRefused extends Error {
  readonly code: "data-dir-foreign" | "data-dir-migrated" | "data-dir-network" | "data-dir-corrupt" | "data-dir-version" | "database-full";
  constructor(code: DirectoryRefused["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** The PostgreSQL files of an embedded installation: `pgdata/` in its directory. */
export interface DataDirectory {
  pgdata: string;
  /** Identifies the installation; also recorded in the database, to notice that PGlite opened another one. */
  id: string;
  /** Made by this call. */
  created: boolean;
}

/**
 * Checks the data directory, or makes it: `create` fills an empty directory (from a template or by initdb), which is forced to disk and moved into
 * place in one step, so that a start that was interrupted leaves nothing behind.
 */
export async function prepareDataDirectory(
  directory: string,
  postgresMajor: string,
  create: (emptyDirectory: string) => Promise<void>,
): Promise<DataDirectory> {
  const pgdata = path.join(directory, "pgdata");
  refuseUnfitDisk(directory);
  if (fs.existsSync(pgdata) && fs.readdirSync(pgdata).length > 0)
    return { pgdata, id: checkExisting(pgdata, postgresMajor), created: false };
  if (fs.existsSync(path.join(directory, MIGRATED_DIRECTORY))) {
    throw new DirectoryRefused(
      "data-dir-migrated",
      `The embedded database of ${directory} was moved to PostgreSQL. Set DATABASE_URL, or to begin anew here, move ${MIGRATED_DIRECTORY} away.`,
    );
  }

  const unfinished = path.join(directory, "pgdata.new");
  fs.rmSync(unfinished, { recursive: true, force: true });
  fs.mkdirSync(unfinished, { mode: 0o700 });
  await create(unfinished);
  const id = randomUUID();
  fs.writeFileSync(path.join(unfinished, MARKER), `${JSON.stringify({ id, createdAt: new Date().toISOString() })}\n`);
  syncTree(unfinished);
  fs.rmSync(pgdata, { recursive: true, force: true });
  fs.renameSync(unfinished, pgdata);
  syncDirectory(directory);
  return { pgdata, id, created: true };
}

function checkExisting(pgdata: string, postgresMajor: string): string {
  const marker = path.join(pgdata, MARKER);
  if (!fs.existsSync(marker)) {
    throw new DirectoryRefused(
      "data-dir-foreign",
      `${pgdata} is not empty and was not made by flow-run. Give another directory with --data-dir, or move these files away.`,
    );
  }
  for (const file of ESSENTIAL) {
    if (!fs.existsSync(path.join(pgdata, file))) {
      throw new DirectoryRefused(
        "data-dir-corrupt",
        `${pgdata} is damaged: ${file} is missing. Restore the directory from a backup; do not delete it before.`,
      );
    }
  }
  const version = fs.readFileSync(path.join(pgdata, "PG_VERSION"), "utf8").trim();
  if (version !== postgresMajor) {
    throw new DirectoryRefused(
      "data-dir-version",
      `${pgdata} was written by PostgreSQL ${version}, this flow-run embeds ${postgresMajor}. Move the data with the older flow-run: flow-run server --migrate-to DATABASE_URL.`,
    );
  }
  const { id } = JSON.parse(fs.readFileSync(marker, "utf8")) as { id: string };
  return id;
}

function refuseUnfitDisk(directory: string): void {
  const { bavail, bsize, type } = fs.statfsSync(directory);
  if (NETWORK_TYPES.has(type)) {
    throw new DirectoryRefused(
      "data-dir-network",
      `${directory} is on a network drive, where two processes cannot be kept apart. Give a local directory with --data-dir, or use PostgreSQL (DATABASE_URL).`,
    );
  }
  if (bavail * bsize >= NEEDED_BYTES) return;
  throw new DirectoryRefused(
    "database-full",
    `The disk of ${directory} is full (${Math.floor((bavail * bsize) / 1024)} kB left). Free at least 16 MB and start again.`,
  );
}

function syncTree(directory: string): void {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    const full = path.join(directory, entry.name);
    if (entry.isDirectory()) syncTree(full);
    else if (entry.isFile()) {
      const fd = fs.openSync(full, "r+");
      fs.fsyncSync(fd);
      fs.closeSync(fd);
    }
  }
  syncDirectory(directory);
}
