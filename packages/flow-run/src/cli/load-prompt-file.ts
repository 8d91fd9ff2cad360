import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Definition, ProjectDefinition, PromptSource } from "@flow-run/spec";
import { LineCounter, parseDocument } from "yaml";
import type { Bundle } from "../compile/index.ts";
import { compileProject, withModelOverrides } from "../compile/index.ts";
import { findProjectRoot, readProject, readPromptFile } from "../project/index.ts";
import { CommandError } from "./command-error.ts";
import { parseOverrides } from "./load-project.ts";
import type { Terminal } from "./terminal.ts";
import { diagnosticsView } from "./views/diagnostics.ts";

/**
 * A bundle with the prompt of a file, wherever it stands: with the models of the project around it, or, outside of any project, of a project that
 * has only the simulator.
 */
export async function loadPromptFile(
  path: string,
  folder: string | undefined,
  overrides: readonly string[],
  terminal: Terminal,
): Promise<{ bundle: Bundle; name: string; modelWritten: string | undefined }> {
  const file = resolve(path);
  if (!existsSync(file)) throw new CommandError(`There is no file ${path}.`, { code: "file-not-found" });
  const read = await readPromptFile(file);
  const root = await findProjectRoot(folder ? resolve(folder) : dirname(file));
  const surroundings = root === null ? null : (await readProject(root)).project;
  const lonely = read.prompt && surroundings === null;
  const prompt = lonely ? withoutModel(read.prompt!) : read.prompt;
  const { bundle, diagnostics } = prompt
    ? compileProject({
        project: surroundings?.project ?? lonelyProject(),
        prompts: [prompt],
        partials: read.partials,
        workflows: [],
        agents: [],
        tools: [],
        evals: [],
        broken: [],
        assets: surroundings?.assets ?? new Map(),
      })
    : { bundle: null, diagnostics: [] };
  const own = [...read.diagnostics, ...diagnostics].filter((diagnostic) => diagnostic.severity === "error");
  if (bundle === null || own.length > 0) {
    terminal.err(`${diagnosticsView(own, read.textOf, terminal)}\n`);
    throw new CommandError(`${path} has ${own.length === 1 ? "an error" : `${own.length} errors`}.`, { code: "invalid-prompt", details: { diagnostics: own } });
  }
  return {
    bundle: overrides.length > 0 ? withModelOverrides(bundle, parseOverrides(overrides)) : bundle,
    name: prompt!.name,
    modelWritten: lonely ? read.prompt!.value.model : undefined,
  };
}

function withoutModel(prompt: PromptSource): PromptSource {
  const { model: _, ...value } = prompt.value;
  return { ...prompt, value };
}

function lonelyProject(): Definition<ProjectDefinition> {
  const text = "name: none\nproviders: { sim: { type: simulator } }\nmodels: { default: sim/any }\n";
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const file = { path: "flow-run.yaml", text };
  return { kind: "project", name: "none", source: { file, document, lineCounter, start: 0 }, value: document.toJS() as ProjectDefinition };
}
