import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { DefinitionKind } from "@flow-run/spec";
import { nameSchema } from "@flow-run/spec";
import { addAtFile, type Findings } from "../findings.ts";
import type { FileProblem } from "./read-text-file.ts";
import { realPathInside } from "./real-path.ts";

/** A folder of a project and what belongs into it. */
export interface DefinitionFolder {
  folder: string;
  kind: Exclude<DefinitionKind, "project">;
  ending: ".prompt" | ".yaml";
}

export const DEFINITION_FOLDERS: readonly DefinitionFolder[] = [
  { folder: "prompts", kind: "prompt", ending: ".prompt" },
  { folder: "flows", kind: "workflow", ending: ".yaml" },
  { folder: "agents", kind: "agent", ending: ".yaml" },
  { folder: "tools", kind: "tool", ending: ".yaml" },
  { folder: "evals", kind: "eval", ending: ".yaml" },
];

/** A file that should hold a definition. */
export interface ListedFile {
  kind: DefinitionFolder["kind"] | "partial";
  name: string;
  /** From the project's root, with forward slashes. */
  path: string;
  /** Where to read it. */
  realPath: string;
  /** Why it may not be read. */
  problem?: FileProblem;
}

/** Files of one kind, sorted by name. What is misplaced or may not be read is reported. */
export async function listFolder(root: string, folder: DefinitionFolder, findings: Findings): Promise<ListedFile[]> {
  const entries = await readEntries(root, folder, findings);
  const listed = await Promise.all(entries.map((entry) => listEntry(root, folder, entry, findings)));
  const files = listed.filter((file) => file !== undefined);
  reportCaseCollisions(files, findings);
  return files;
}

/** Hints at definitions that stand beside the folders, where nobody reads them. */
export async function reportMisplaced(root: string, findings: Findings): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.endsWith(".prompt") || name.startsWith(".")) continue;
    addAtFile(findings, name, {
      code: "misplaced-file",
      severity: "warning",
      message: "prompts outside of prompts/ are not read",
      hint: `move it to prompts/${name}`,
    });
  }
}

async function readEntries(root: string, { folder }: DefinitionFolder, findings: Findings): Promise<Dirent[]> {
  const path = join(root, folder);
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (stats === undefined) return [];
  if (stats.isSymbolicLink()) {
    const real = await realPathInside(root, path);
    if ("problem" in real) {
      addAtFile(findings, folder, real.problem);
      return [];
    }
  }
  try {
    return (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR")
      addAtFile(findings, folder, { code: "not-a-folder", message: `${folder} must be a folder`, hint: "rename this file" });
    else if (code !== undefined) addAtFile(findings, folder, { code: "unreadable-file", message: `the folder cannot be read (${code})` });
    else throw error;
    return [];
  }
}

async function listEntry(root: string, folder: DefinitionFolder, entry: Dirent, findings: Findings): Promise<ListedFile | undefined> {
  const path = `${folder.folder}/${entry.name}`;
  if (entry.name.startsWith(".")) return undefined;
  if (!entry.name.endsWith(folder.ending)) {
    await reportWrongEnding(root, folder, entry, path, findings);
    return undefined;
  }
  const bare = entry.name.slice(0, -folder.ending.length);
  const isPartial = folder.kind === "prompt" && bare.startsWith("_");
  const name = isPartial ? bare.slice(1) : bare;
  const named = nameSchema.safeParse(name);
  if (!named.success) {
    addAtFile(findings, path, {
      code: "invalid-name",
      message: `${JSON.stringify(name)} cannot be a name: ${named.error.issues[0]?.message}`,
      hint: "rename the file",
    });
    return undefined;
  }
  const realPath = join(root, folder.folder, entry.name);
  const listed: ListedFile = { kind: isPartial ? "partial" : folder.kind, name, path, realPath };
  if (!entry.isSymbolicLink()) return listed;
  const real = await realPathInside(root, realPath);
  return "problem" in real ? { ...listed, problem: real.problem } : listed;
}

async function reportWrongEnding(root: string, folder: DefinitionFolder, entry: Dirent, path: string, findings: Findings): Promise<void> {
  const ending = /\.(prompt|ya?ml)$/i.exec(entry.name)?.[0];
  if (ending !== undefined) {
    const right = entry.name.slice(0, -ending.length) + folder.ending;
    const home = ending.toLowerCase() === ".prompt" && folder.ending !== ".prompt" ? `prompts/${entry.name}` : `${folder.folder}/${right}`;
    addAtFile(findings, path, {
      code: "misplaced-file",
      severity: "warning",
      message: `files in ${folder.folder}/ end in ${folder.ending}; this one is not read`,
      hint: `rename it to ${home}`,
    });
  } else if (entry.isDirectory()) {
    const inside = await readdir(join(root, path)).catch(() => []);
    const lost = inside.find((name) => name.endsWith(folder.ending));
    if (lost === undefined) return;
    addAtFile(findings, `${path}/${lost}`, {
      code: "misplaced-file",
      severity: "warning",
      message: `folders inside ${folder.folder}/ are not read`,
      hint: `move it to ${folder.folder}/${lost}`,
    });
  }
}

function reportCaseCollisions(files: readonly ListedFile[], findings: Findings): void {
  const seen = new Map<string, ListedFile>();
  for (const file of files) {
    const key = file.path.toLowerCase();
    const first = seen.get(key);
    if (first === undefined) seen.set(key, file);
    else {
      addAtFile(findings, file.path, {
        code: "name-collision",
        message: `the name differs from that of ${first.path} only by case, which is one file on other systems`,
        hint: "rename one of them",
      });
    }
  }
}
