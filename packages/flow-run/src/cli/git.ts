import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What Git answers to a question about a folder; null when there is no Git, no repository, or no answer. */
export async function askGit(folder: string, ...args: string[]): Promise<string | null> {
  try {
    return (await promisify(execFile)("git", ["-C", folder, ...args])).stdout.trim() || null;
  } catch {
    return null;
  }
}

/** The root of the repository that a folder belongs to. */
export function findRepository(folder: string): Promise<string | null> {
  return askGit(folder, "rev-parse", "--show-toplevel");
}
