import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import {
  type AgentDefinition,
  type BrokenDefinition,
  type Definition,
  type Diagnostic,
  type EvalDefinition,
  type PartialSource,
  type ProjectDefinition,
  type ProjectSource,
  type PromptSource,
  projectSchema,
  type SourceFile,
  sortDiagnostics,
  type ToolDefinition,
  type WorkflowDefinition,
} from "@flow-run/spec";
import { checkEval, checkProject, checkTool, readDefinition, YAML_FORMATS } from "./check/check-definition.ts";
import { DEFINITION_FOLDERS, type ListedFile, listFolder, reportMisplaced } from "./files/list-folder.ts";
import { type FileProblem, readTextFile } from "./files/read-text-file.ts";
import { realPathInside } from "./files/real-path.ts";
import { PROJECT_FILE } from "./find-project-root.ts";
import { addAtFile, addAtPlace, type Findings } from "./findings.ts";
import { inParallel } from "./in-parallel.ts";
import { readAssets } from "./read-assets.ts";
import { readPartial, readPrompt } from "./read-prompt.ts";

export interface ReadProject {
  /** Null when flow-run.yaml itself could not be read; other definitions with mistakes are listed under `broken`. */
  project: ProjectSource | null;
  /** All mistakes of all files, sorted by place. */
  diagnostics: Diagnostic[];
  /** Text of a file that was read, also of one with mistakes; for code frames. `file` as in a diagnostic. */
  textOf(file: string): string | undefined;
}

/** Definitions gathered while files are read. */
interface Gathered extends Findings {
  prompts: PromptSource[];
  partials: PartialSource[];
  workflows: Definition<WorkflowDefinition>[];
  agents: Definition<AgentDefinition>[];
  tools: Definition<ToolDefinition>[];
  evals: Definition<EvalDefinition>[];
  broken: BrokenDefinition[];
  texts: Map<string, string>;
}

/**
 * Reads the project whose flow-run.yaml stands in `root`. Only regular files inside the project are read, each of at most 1 MiB; folders
 * that are not part of the format are ignored. Never throws for what an author wrote.
 */
export async function readProject(root: string): Promise<ReadProject> {
  const gathered: Gathered = {
    diagnostics: [],
    prompts: [],
    partials: [],
    workflows: [],
    agents: [],
    tools: [],
    evals: [],
    broken: [],
    texts: new Map(),
  };
  const { diagnostics, texts, ...definitions } = gathered;
  const project = await readEverything(root, gathered);
  let assets = new Map<string, string>();
  if (project !== undefined) {
    checkProject(project, gathered);
    assets = await readAssets(await realpath(root), project, gathered.evals, gathered);
  }
  return {
    project: project === undefined ? null : { project, ...definitions, assets },
    diagnostics: sortDiagnostics(diagnostics),
    textOf: (file) => texts.get(file) ?? assets.get(file),
  };
}

/** flow-run.yaml alone; null when it has mistakes or is not there. */
export async function readProjectFile(root: string): Promise<ProjectDefinition | null> {
  const read = await readTextFile(join(root, PROJECT_FILE));
  if ("problem" in read) return null;
  const file = { path: PROJECT_FILE, text: read.text };
  return readDefinition("project", projectSchema, file, "", { diagnostics: [] })?.value ?? null;
}

async function readEverything(root: string, gathered: Gathered): Promise<Definition<ProjectDefinition> | undefined> {
  const real = await realpath(root).catch(() => undefined);
  if (real === undefined) {
    addAtFile(gathered, PROJECT_FILE, { code: "missing-project-file", message: `there is no folder ${root}`, hint: "run flow-run init" });
    return undefined;
  }
  const project = await readProjectDefinition(real, gathered);
  const lists = await Promise.all(DEFINITION_FOLDERS.map((folder) => listFolder(real, folder, gathered)));
  const files = lists.flat();
  const texts = await inParallel(files, 16, async (file) =>
    file.problem === undefined ? readTextFile(file.realPath) : { problem: file.problem },
  );
  for (const [index, listed] of files.entries()) {
    const read = texts[index]!;
    const understood = "text" in read ? understand(listed, read.text, gathered) : addProblem(gathered, listed.path, read.problem);
    if (!understood) gathered.broken.push({ kind: listed.kind, name: listed.name, file: listed.path });
  }
  await reportMisplaced(real, gathered);
  return project;
}

async function readProjectDefinition(root: string, gathered: Gathered): Promise<Definition<ProjectDefinition> | undefined> {
  const real = await realPathInside(root, join(root, PROJECT_FILE));
  const read = "problem" in real ? real : await readTextFile(real.path);
  if ("problem" in read) {
    if (read.problem.code === "file-not-found") await reportMissing(root, gathered);
    else addProblem(gathered, PROJECT_FILE, read.problem);
    return undefined;
  }
  gathered.texts.set(PROJECT_FILE, read.text);
  const definition = readDefinition("project", projectSchema, { path: PROJECT_FILE, text: read.text }, "", gathered);
  return definition === undefined ? undefined : { ...definition, name: definition.value.name };
}

async function reportMissing(root: string, gathered: Gathered): Promise<void> {
  const names = await readdir(root).catch(() => []);
  const other = names.find((name) => /^flow-?run\.(ya?ml|json)$/i.test(name));
  addAtFile(gathered, PROJECT_FILE, {
    code: "missing-project-file",
    message: "there is no flow-run.yaml in the project's folder",
    hint: other === undefined ? "run flow-run init" : `rename ${other} to flow-run.yaml`,
  });
}

/** Adds what a file holds to `gathered`; false when it has mistakes. */
function understand(listed: ListedFile, text: string, gathered: Gathered): boolean {
  const { name, path } = listed;
  const file: SourceFile = { path, text };
  gathered.texts.set(path, text);
  switch (listed.kind) {
    case "prompt":
      return keep(gathered.prompts, readPrompt(file, name, gathered));
    case "partial":
      return keep(gathered.partials, readPartial(file, name, gathered));
    case "workflow":
      return keep(gathered.workflows, readDefinition(listed.kind, YAML_FORMATS.workflow, file, name, gathered));
    case "agent":
      return keep(gathered.agents, readDefinition(listed.kind, YAML_FORMATS.agent, file, name, gathered));
    case "tool":
      return keep(gathered.tools, readDefinition(listed.kind, YAML_FORMATS.tool, file, name, gathered), (tool) =>
        checkTool(tool, gathered),
      );
    case "eval":
      return keep(gathered.evals, readDefinition(listed.kind, YAML_FORMATS.eval, file, name, gathered), (one) => checkEval(one, gathered));
  }
}

function keep<Item>(list: Item[], item: Item | undefined, check: (item: Item) => boolean = () => true): boolean {
  if (item === undefined || !check(item)) return false;
  list.push(item);
  return true;
}

function addProblem(findings: Findings, file: string, { place, ...finding }: FileProblem): false {
  addAtPlace(findings, file, place, finding);
  return false;
}
