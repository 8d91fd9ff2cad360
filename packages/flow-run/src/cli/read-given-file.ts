import { readFile, stat } from "node:fs/promises";
import { CommandError } from "./command-error.ts";

/** More than a server takes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** The text of a file that was named on the command line. Throws CommandError for what cannot be read. */
export async function readGivenFile(path: string, what: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  const refuse = (why: string) => new CommandError(`The ${what} cannot be read: ${why}.`, { code: "unreadable-file" });
  if (found === undefined) throw refuse(`there is no file ${path}`);
  if (found.isDirectory()) throw refuse(`${path} is a folder`);
  if (found.size > MOST_BYTES) throw refuse(`${path} is larger than ${MOST_BYTES / 1024 / 1024} MiB`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throw refuse(error instanceof TypeError ? `${path} is not UTF-8` : (error as Error).message);
  }
}
