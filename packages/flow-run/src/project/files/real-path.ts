import { realpath } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";
import type { FileProblem } from "./read-text-file.ts";

/** A real path inside the project, or why it may not be read. */
export type RealPath = { path: string } | { problem: FileProblem };

/** Where a path leads once all symbolic links are followed; refused when that is outside of the root (itself a real path). */
export async function realPathInside(root: string, path: string): Promise<RealPath> {
  try {
    const real = await realpath(path);
    if (isInside(root, real)) return { path: real };
    return {
      problem: {
        code: "file-outside-project",
        message: "the file leads out of the project",
        hint: "copy it into the project: a release holds only what the project holds",
      },
    };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    if (code === "ENOENT" || code === "ENOTDIR") return { problem: { code: "file-not-found", message: "there is no such file" } };
    if (code === "ELOOP") return { problem: { code: "unreadable-file", message: "the symbolic link leads to itself" } };
    return { problem: { code: "unreadable-file", message: `the file cannot be read (${code})` } };
  }
}

export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
