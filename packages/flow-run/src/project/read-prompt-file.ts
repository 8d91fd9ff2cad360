import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Diagnostic, type PartialSource, type PromptSource, sortDiagnostics } from "@flow-run/spec";
import { readTextFile } from "./files/read-text-file.ts";
import { addAtPlace, type Findings } from "./findings.ts";
import { inParallel } from "./in-parallel.ts";
import { readPartial, readPrompt } from "./read-prompt.ts";

export interface ReadPromptFile {
  /** Null when the file has mistakes. */
  prompt: PromptSource | null;
  /** The `_NAME.prompt` files beside it that can be read. */
  partials: PartialSource[];
  diagnostics: Diagnostic[];
  /** Text of a file that was read; for code frames. */
  textOf(file: string): string | undefined;
}

/** Reads one `.prompt` file wherever it stands and whatever it is called, with the partials of its folder. */
export async function readPromptFile(path: string): Promise<ReadPromptFile> {
  const findings: Findings = { diagnostics: [] };
  const texts = new Map<string, string>();
  const text = await readInto(texts, path, findings);
  const name = basename(path).replace(/\.prompt$/, "");
  const prompt = text === undefined ? undefined : readPrompt({ path, text }, name, findings);
  const folder = dirname(path);
  const names = (await readdir(folder).catch(() => [])).filter((other) => /^_.+\.prompt$/.test(other) && other !== basename(path)).sort();
  const partials = await inParallel(names, 16, async (other) => {
    const partialPath = join(folder, other);
    const partialText = await readInto(texts, partialPath, findings);
    return partialText === undefined
      ? undefined
      : readPartial({ path: partialPath, text: partialText }, other.slice(1, -".prompt".length), findings);
  });
  return {
    prompt: prompt ?? null,
    partials: partials.filter((partial) => partial !== undefined),
    diagnostics: sortDiagnostics(findings.diagnostics),
    textOf: (file) => texts.get(file),
  };
}

async function readInto(texts: Map<string, string>, path: string, findings: Findings): Promise<string | undefined> {
  const read = await readTextFile(path);
  if ("text" in read) {
    texts.set(path, read.text);
    return read.text;
  }
  const { place, ...finding } = read.problem;
  addAtPlace(findings, path, place, finding);
  return undefined;
}
