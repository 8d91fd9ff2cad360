import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { TextPlace } from "@flow-run/spec";
import { decodeText } from "./decode-text.ts";

/** Text of a file, or a mistake that says why there is none. */
export type ReadText = { text: string } | { problem: FileProblem };

export interface FileProblem {
  code: string;
  message: string;
  hint?: string;
  place?: TextPlace;
}

/** Largest definition, in bytes. */
export const MAX_DEFINITION_BYTES = 1024 * 1024;

/**
 * Reads a regular file of limited size. What it is, is asked of the opened file, so that nothing can be put in its place in
 * between; opening does not wait, so that a named pipe cannot hold us.
 */
export async function readTextFile(path: string, maxBytes = MAX_DEFINITION_BYTES): Promise<ReadText> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (!stats.isFile()) return { problem: notAFile(stats.isDirectory() ? "a directory" : "a device, pipe or socket") };
    if (stats.size > maxBytes) return { problem: tooLarge(maxBytes) };
    // One byte more than it had: a file that grows, or whose size is not told, is not read beyond the limit.
    const buffer = Buffer.allocUnsafe(Math.min(stats.size, maxBytes) + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > maxBytes) return { problem: tooLarge(maxBytes) };
    return decodeText(buffer.subarray(0, length));
  } catch (error) {
    return { problem: openProblem(error) };
  } finally {
    await handle?.close();
  }
}

function notAFile(what: string): FileProblem {
  return { code: "not-a-file", message: `this is ${what}, not a file`, hint: "put a file in its place, or give it another name" };
}

function tooLarge(maxBytes: number): FileProblem {
  const limit = maxBytes >= 1024 * 1024 ? `${Math.floor(maxBytes / 1024 / 1024)} MiB` : `${maxBytes} bytes`;
  return { code: "file-too-large", message: `the file is larger than ${limit}`, hint: "move data into datasets, or split the file" };
}

function openProblem(error: unknown): FileProblem {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return { code: "file-not-found", message: "there is no such file" };
  if (code === "EACCES" || code === "EPERM") {
    return { code: "unreadable-file", message: "the file may not be read", hint: "give yourself the right to read it" };
  }
  if (code === "ELOOP") return { code: "unreadable-file", message: "the symbolic link leads to itself" };
  if (code === "ENXIO" || code === "ENODEV") return { problem: notAFile("a device, pipe or socket") }.problem;
  if (code === undefined) throw error;
  return { code: "unreadable-file", message: `the file cannot be read (${code})` };
}
