import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { Diagnostic } from "@flow-run/spec";
import { hasErrors } from "@flow-run/spec";
import type { Bundle } from "../compile/index.ts";
import { compileProject, withModelOverrides } from "../compile/index.ts";
import { findProjectRoot, readProject } from "../project/index.ts";
import { CommandError } from "./command-error.ts";
import type { CommonOptions } from "./program.ts";
import { errorSide, type Terminal } from "./terminal.ts";
import { countView, diagnosticsView } from "./views/diagnostics.ts";

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

/** The root of the project around a folder. Throws CommandError when there is none. */
export async function projectRoot(folder: string | undefined): Promise<string> {
  const from = resolve(folder ?? ".");
  const root = await findProjectRoot(from);
  if (root !== null) return root;
  const names = await readdir(from).catch(() => null);
  const misnamed = names?.find((name) => /^flow-?run\.(ya?ml|json)$/i.test(name));
  throw new CommandError(
    names === null
      ? `There is no folder ${from}.`
      : misnamed
        ? `There is no flow-run.yaml in ${from}, but there is ${misnamed}: rename it to flow-run.yaml.`
        : `There is no flow-run.yaml in ${from} or above it. Make a project with \`flow-run init\`, or name its folder with --project.`,
    { code: "no-project" },
  );
}

/** A bundle without errors, with `--model name=target` applied; otherwise shows all diagnostics and throws. */
export async function loadBundle(
  options: CommonOptions & { model?: string[] },
  terminal: Terminal,
): Promise<{ root: string; bundle: Bundle }> {
  const project = await loadProject(options.project);
  if (project.bundle === null) throw invalid("The project", project.diagnostics, project.textOf, terminal, options.json);
  return { root: project.root, bundle: withOverrides(project.bundle, options.model) };
}

/** Shows mistakes and makes the error that ends the command; machines get them with the error. */
export function invalid(
  what: string,
  diagnostics: Diagnostic[],
  textOf: LoadedProject["textOf"],
  terminal: Terminal,
  json: boolean | undefined,
): CommandError {
  if (!json) terminal.err(`${diagnosticsView(diagnostics, textOf, errorSide(terminal))}\n`);
  return new CommandError(`${what} has ${countView(diagnostics)}; nothing was done.`, {
    code: "invalid-project",
    details: { diagnostics },
  });
}

/** The bundle with the models of `--model` in the place of its own. */
export function withOverrides(bundle: Bundle, overrides: readonly string[] = []): Bundle {
  return overrides.length === 0 ? bundle : withModelOverrides(bundle, parseOverrides(overrides));
}

function parseOverrides(overrides: readonly string[]): { [name: string]: string } {
  return Object.fromEntries(
    overrides.map((override) => {
      const [, name, target] = /^([^=]+)=(.+)$/.exec(override) ?? [];
      if (!name || !target) {
        throw new CommandError(`--model ${override}: write NAME=PROVIDER/MODEL, for example fast=claude/claude-haiku-4-5.`);
      }
      return [name, target];
    }),
  );
}
