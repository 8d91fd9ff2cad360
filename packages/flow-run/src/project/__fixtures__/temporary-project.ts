import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Diagnostic } from "@flow-run/spec";
import { onTestFinished } from "vitest";

export const PROJECT = "name: shop\nproviders: { sim: { type: simulator } }\nmodels: { default: sim/small }\n";

/** A real folder with these files (a minimal flow-run.yaml unless given), removed when the test ends. */
export async function temporaryProject(files: { [path: string]: string | Buffer }): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "flow-run-project-")));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries({ "flow-run.yaml": PROJECT, ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

/** `file:line:column-endLine:endColumn code message [hint]`, short enough for expectations. */
export function show({ file, line, column, endLine, endColumn, code, message, hint }: Diagnostic): string {
  return `${file}:${line}:${column}-${endLine}:${endColumn} ${code}: ${message}${hint === undefined ? "" : ` [${hint}]`}`;
}
