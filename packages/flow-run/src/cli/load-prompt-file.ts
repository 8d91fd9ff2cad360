import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Definition, PartialSource, ProjectDefinition, PromptSource } from "@flow-run/spec";
import { hasErrors } from "@flow-run/spec";
import { LineCounter, parseDocument } from "yaml";
import type { Bundle } from "../compile/index.ts";
import { compileProject } from "../compile/index.ts";
import { findProjectRoot, type ReadProject, readProject, readPromptFile } from "../project/index.ts";
import { CommandError } from "./command-error.ts";
import { invalid, withOverrides } from "./load-project.ts";
import type { CommonOptions } from "./program.ts";
import type { Terminal } from "./terminal.ts";

/** A file's prompt, compiled. */
export interface LoadedPromptFile {
  bundle: Bundle;
  name: string;
  /** Outside of a project: the model that the file names, whatever it means; null when it names none. */
  modelWritten?: string | null;
}

/**
 * A bundle with the prompt of a file, wherever it stands: with the models and partials of the project around it, or, outside of any project,
 * with the vendors' own names as providers.
 */
export async function loadPromptFile(
  path: string,
  options: CommonOptions & { model?: string[] },
  terminal: Terminal,
): Promise<LoadedPromptFile> {
  if (!existsSync(path)) throw new CommandError(`There is no file ${path}.`, { code: "file-not-found" });
  const read = await readPromptFile(path);
  const root = await findProjectRoot(options.project ? resolve(options.project) : dirname(resolve(path)));
  const surroundings = root === null ? null : await readProject(root);
  if (surroundings?.project === null) {
    throw invalid("The project around the file", surroundings.diagnostics, (file) => surroundings.textOf(file), terminal, options.json);
  }
  if (read.prompt === null) throw invalid(path, read.diagnostics, read.textOf, terminal, options.json);
  const prompt = surroundings === null ? withKnownModel(read.prompt) : read.prompt;
  const { bundle, diagnostics } = compileProject({
    project: surroundings?.project.project ?? vendors(),
    prompts: [prompt],
    partials: ownFirst(read.partials, surroundings),
    workflows: [],
    agents: [],
    tools: [],
    evals: [],
    broken: [],
    assets: surroundings?.project.assets ?? new Map(),
  });
  const found = [...read.diagnostics, ...diagnostics];
  if (bundle === null || hasErrors(found)) {
    const textOf = (file: string) => read.textOf(file) ?? surroundings?.textOf(file);
    throw invalid(path, found, textOf, terminal, options.json);
  }
  return {
    bundle: withOverrides(bundle, options.model),
    name: prompt.name,
    ...(surroundings === null && !options.model ? { modelWritten: read.prompt.value.model ?? null } : {}),
  };
}

function ownFirst(own: PartialSource[], surroundings: ReadProject | null): PartialSource[] {
  const names = new Set(own.map((partial) => partial.name));
  return [...own, ...(surroundings?.project?.partials ?? []).filter((partial) => !names.has(partial.name))];
}

const VENDORS: { readonly [prefix: string]: string } = {
  openai: "openai",
  anthropic: "anthropic",
  google: "google",
  googleai: "google",
};

/** A model that no vendor's name begins is left out: what it means is for a project to say. */
function withKnownModel(prompt: PromptSource): PromptSource {
  const { model, ...value } = prompt.value;
  return model?.includes("/") && Object.hasOwn(VENDORS, model.split("/")[0]!) ? prompt : { ...prompt, value };
}

function vendors(): Definition<ProjectDefinition> {
  const providers = Object.entries(VENDORS).map(([name, type]) => `  ${name}: { type: ${type}, apiKey: "\${{ secrets.KEY }}" }`);
  const text = `name: none\nproviders:\n${providers.join("\n")}\n  sim: { type: simulator }\nmodels: { default: sim/any }\n`;
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const file = { path: "flow-run.yaml", text };
  return { kind: "project", name: "none", source: { file, document, lineCounter, start: 0 }, value: document.toJS() as ProjectDefinition };
}
