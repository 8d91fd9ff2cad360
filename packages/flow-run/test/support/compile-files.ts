import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Bundle } from "../../src/compile/index.ts";
import { compileProject } from "../../src/compile/index.ts";
import { readProject } from "../../src/project/index.ts";

/** Writes the files of a project into a folder of its own. */
export async function writeProject(files: { [path: string]: string }): Promise<{ root: string; remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), "flow-run-test-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return { root, remove: () => rm(root, { recursive: true, force: true }) };
}

/** The bundle of a project given as texts. Throws with all diagnostics when it has errors. */
export async function compileFiles(files: { [path: string]: string }): Promise<Bundle> {
  const { root, remove } = await writeProject(files);
  try {
    const read = await readProject(root);
    const compiled = read.project ? compileProject(read.project) : { bundle: null, diagnostics: [] };
    const errors = [...read.diagnostics, ...compiled.diagnostics].filter((diagnostic) => diagnostic.severity === "error");
    if (compiled.bundle === null || errors.length > 0) throw new Error(JSON.stringify(errors, null, 2));
    return compiled.bundle;
  } finally {
    await remove();
  }
}
