import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Diagnostic } from "@flow-run/spec";
import { readProject } from "../../project/index.ts";
import type { Bundle } from "../bundle.ts";
import { compileProject } from "../compile-project.ts";

export const SIMULATED = "name: test\nproviders: { sim: { type: simulator } }\nmodels: { default: sim/small }\n";

export interface CompiledFiles {
  bundle: Bundle | null;
  diagnostics: Diagnostic[];
  /** `file:line:column code message (hint)`, sorted by place. */
  lines: string[];
}

/** Writes files to a folder of their own, reads it as a project and compiles it. Without a flow-run.yaml it gets one with a simulator. */
export async function compileFiles(files: { [path: string]: string }): Promise<CompiledFiles> {
  const root = mkdtempSync(join(tmpdir(), "flow-run-compile-"));
  try {
    for (const [path, text] of Object.entries({ "flow-run.yaml": SIMULATED, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const read = await readProject(root);
    const compiled = read.project === null ? { bundle: null, diagnostics: [] } : compileProject(read.project);
    const diagnostics = [...read.diagnostics, ...compiled.diagnostics];
    const lines = diagnostics.map(({ file, line, column, code, message, hint }) => `${file}:${line}:${column} ${code} ${message}${hint === undefined ? "" : ` (${hint})`}`);
    return { bundle: compiled.bundle, diagnostics, lines };
  } finally {
    rmSync(root, { recursive: true });
  }
}
