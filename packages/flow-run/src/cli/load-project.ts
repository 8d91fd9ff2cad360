import { resolve } from "node:path";
import type { Diagnostic } from "@flow-run/spec";
import { hasErrors } from "@flow-run/spec";
import type { Bundle } from "../compile/index.ts";
import { compileProject, withModelOverrides } from "../compile/index.ts";
import { findProjectRoot, readProject } from "../project/index.ts";
import { CommandError } from "./command-error.ts";
import type { Terminal } from "./terminal.ts";
import { diagnosticsView } from "./views/diagnostics.ts";

export interface LoadedProject {
  root: string;
  bundle: Bundle | null;
  diagnostics: Diagnostic[];
  textOf(file: string): string | undefined;
}

/** The project around `folder`, read and compiled. Its mistakes are in `diagnostics`; `bundle` is null when there are errors. */
export async function loadProject(folder: string | undefined): Promise<LoadedProject> {
  const root = await projectRoot(folder);
  const read = await readProject(root);
  const compiled = read.project ? compileProject(read.project) : { bundle: null, diagnostics: [] };
  const diagnostics = [...read.diagnostics, ...compiled.diagnostics];
  return { root, bundle: hasErrors(diagnostics) ? null : compiled.bundle, diagnostics, textOf: (file) => read.textOf(file) };
}

export async function projectRoot(folder: string | undefined): Promise<string> {
  const from = resolve(folder ?? ".");
  const root = await findProjectRoot(from);
  if (root === null) {
    throw new CommandError(`There is no flow-run.yaml in ${from} or above it. Make a project with: flow-run init`, { code: "no-project" });
  }
  return root;
}

/** A bundle without errors, with `--model name=target` applied; otherwise prints all diagnostics and throws. */
export async function loadBundle(folder: string | undefined, overrides: readonly string[], terminal: Terminal): Promise<{ root: string; bundle: Bundle }> {
  const project = await loadProject(folder);
  if (project.bundle === null) {
    terminal.err(`${diagnosticsView(project.diagnostics, project.textOf, terminal)}\n`);
    const errors = project.diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
    throw new CommandError(`The project has ${errors} ${errors === 1 ? "error" : "errors"}. Mend ${errors === 1 ? "it" : "them"} first.`, {
      code: "invalid-project",
      details: { diagnostics: project.diagnostics },
    });
  }
  return { root: project.root, bundle: overrides.length === 0 ? project.bundle : withModelOverrides(project.bundle, parseOverrides(overrides)) };
}

export function parseOverrides(overrides: readonly string[]): { [name: string]: string } {
  return Object.fromEntries(
    overrides.map((override) => {
      const [, name, target] = /^([^=]+)=(.+\/.+)$/.exec(override) ?? [];
      if (!name || !target) throw new CommandError(`--model ${override}: write NAME=PROVIDER/MODEL, for example fast=claude/claude-haiku-4-5.`);
      return [name, target];
    }),
  );
}
