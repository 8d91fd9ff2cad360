import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FlowRunError } from "@flow-run/spec";

/** SQLITE_BUSY: somebody holds the lock. */
const BUSY = 5;

/**
 * Takes the data directory for this process; two on one directory would destroy each other's data without an error. The lock is the kernel's, on a
 * SQLite file: it excludes a stopped holder's rivals, ends with the holder however that ends, and holds against a second open in the same process.
 * Returns the release. Throws code `data-dir-locked`.
 */
export function lockDirectory(directory: string): () => void {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, ".lock");
  const holderFile = path.join(directory, ".lock.json");
  const lock = new DatabaseSync(file);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if ((error as { errcode?: unknown }).errcode !== BUSY) throw error;
    const pid = holderPid(holderFile);
    throw new FlowRunError(
      "data-dir-locked",
      `The data directory ${directory} is in use by ${pid === null ? "another process" : `process ${pid}`}. ` +
        "Stop it first, or give this one another directory with --data-dir. For several processes use PostgreSQL (DATABASE_URL).",
      { details: { directory, pid } },
    );
  }
  fs.writeFileSync(holderFile, JSON.stringify({ pid: process.pid, startedAt: new Date().toISOString() })); // for the message only
  return () => {
    fs.rmSync(holderFile, { force: true });
    lock.exec("ROLLBACK");
    lock.close();
  };
}

function holderPid(holderFile: string): number | null {
  try {
    const { pid } = JSON.parse(fs.readFileSync(holderFile, "utf8")) as { pid?: unknown };
    return typeof pid === "number" ? pid : null;
  } catch {
    return null;
  }
}
