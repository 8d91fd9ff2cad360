import { resolve } from "node:path";
import { findProjectRoot } from "../project/index.ts";

/** The embedded database's folder: as named, else `.flow-run` in the project, else in the current folder. */
export async function dataDirectory(options: { dataDir?: string; project?: string }): Promise<string> {
  if (options.dataDir !== undefined) return resolve(options.dataDir);
  const from = resolve(options.project ?? ".");
  return resolve((await findProjectRoot(from)) ?? from, ".flow-run");
}
