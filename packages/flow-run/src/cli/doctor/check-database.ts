import { existsSync } from "node:fs";
import { access, constants, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { FlowRunError } from "@flow-run/spec";
import { dataDirectory } from "../data-directory.ts";
import type { Check, DoctorOptions } from "./check.ts";

const NAME = "database";
const TOLERATED_SKEW_S = 5;

/** The PostgreSQL of DATABASE_URL, or the folder of the embedded database; looks only. */
export async function checkDatabase(options: DoctorOptions): Promise<Check> {
  const url = process.env.DATABASE_URL;
  return url && options.dataDir === undefined ? checkPostgres(url) : checkEmbedded(await dataDirectory(options));
}

async function checkPostgres(connectionString: string): Promise<Check> {
  const { openPostgres } = await import("../../store/index.ts");
  try {
    const database = await openPostgres({ connectionString, maxConnections: 1 });
    try {
      const [row] = await database.query<{ version: string; skew: number }>(
        "SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp())::float8 - $1::float8 AS skew",
        [Date.now() / 1000],
      );
      const skew = Math.abs(row!.skew);
      if (skew <= TOLERATED_SKEW_S) return { name: NAME, status: "ok", detail: `PostgreSQL ${row!.version}, clocks agree` };
      const detail = `PostgreSQL ${row!.version}; its clock differs by ${skew.toFixed(0)} s from this machine's. Set both by NTP.`;
      return { name: NAME, status: "warning", detail };
    } finally {
      await database.close();
    }
  } catch (error) {
    if (!FlowRunError.isInstance(error)) throw error;
    return { name: NAME, status: "failed", detail: `${error.message} Check DATABASE_URL.` };
  }
}

async function checkEmbedded(directory: string): Promise<Check> {
  let existing = directory;
  while (!existsSync(existing)) existing = dirname(existing);
  const writable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable)
    return { name: NAME, status: "failed", detail: `embedded, but ${existing} cannot be written. Choose another with --data-dir.` };
  if (!existsSync(`${directory}/pgdata`)) return { name: NAME, status: "ok", detail: `embedded, will be made in ${directory}` };
  const holder = await holderOf(directory);
  return { name: NAME, status: "ok", detail: `embedded in ${directory}${holder === null ? "" : `, in use by process ${holder}`}` };
}

/** The process that has written its number into the lock and lives; null when there is none. */
async function holderOf(directory: string): Promise<number | null> {
  try {
    const { pid } = JSON.parse(await readFile(`${directory}/.lock.json`, "utf8")) as { pid: number };
    process.kill(pid, 0);
    return pid;
  } catch {
    return null;
  }
}
