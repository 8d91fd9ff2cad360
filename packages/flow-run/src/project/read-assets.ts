import { join } from "node:path";
import { assetPath, type Definition, type EvalDefinition, type ProjectDefinition, simulatorScriptSchema } from "@flow-run/spec";
import { checkValue } from "./check/check-value.ts";
import { type FileProblem, readTextFile } from "./files/read-text-file.ts";
import { realPathInside } from "./files/real-path.ts";
import { addAtFile, addAtPath, addAtPlace, type Findings } from "./findings.ts";
import { readYaml } from "./yaml/read-yaml.ts";

/** Largest file of cases. */
const MAX_DATASET_BYTES = 64 * 1024 * 1024;

interface Reference {
  definition: Definition<unknown>;
  /** Where the file's path stands in the definition. */
  at: (string | number)[];
  path: string;
  isScript: boolean;
}

/** Reads the files that definitions name (simulator scripts, cases of evals), each once. Mistakes are reported where they are named. */
export async function readAssets(
  root: string,
  project: Definition<ProjectDefinition>,
  evals: readonly Definition<EvalDefinition>[],
  findings: Findings,
): Promise<Map<string, string>> {
  const assets = new Map<string, string>();
  for (const reference of references(project, evals)) {
    const path = assetPath(reference.definition.source.file.path, reference.path);
    if (path !== undefined && assets.has(path)) continue;
    const read = path === undefined ? outside() : await readAsset(root, path, reference.isScript);
    if ("problem" in read) {
      const { place, ...finding } = read.problem;
      // A mistake inside the file has a place there; one that keeps it from being read is shown where it is named.
      if (place !== undefined) addAtPlace(findings, path!, place, finding);
      else {
        const message = `${JSON.stringify(reference.path)}: ${finding.message}`;
        addAtPath(findings, reference.definition.source, reference.at, "value", { ...finding, message });
      }
      continue;
    }
    assets.set(path!, read.text);
    if (reference.isScript) checkScript(path!, read.text, findings);
  }
  return assets;
}

function* references(project: Definition<ProjectDefinition>, evals: readonly Definition<EvalDefinition>[]): Generator<Reference> {
  for (const [name, provider] of Object.entries(project.value.providers ?? {})) {
    if (provider.type !== "simulator" || typeof provider.script !== "string") continue;
    yield { definition: project, at: ["providers", name, "script"], path: provider.script, isScript: true };
  }
  for (const definition of evals) {
    const { cases } = definition.value;
    if (typeof cases === "string") yield { definition, at: ["cases"], path: cases, isScript: false };
  }
}

async function readAsset(root: string, path: string, isScript: boolean): ReturnType<typeof readTextFile> {
  const real = await realPathInside(root, join(root, path));
  if ("problem" in real) return real;
  return isScript ? readTextFile(real.path) : readTextFile(real.path, MAX_DATASET_BYTES);
}

function outside(): { problem: FileProblem } {
  return {
    problem: {
      code: "file-outside-project",
      message: "the path leads out of the project",
      hint: "write a path with forward slashes, from this file's folder to a file of the project",
    },
  };
}

function checkScript(path: string, text: string, findings: Findings): void {
  const { source, value } = readYaml({ path, text }, findings);
  if (value === undefined) return;
  if (value === null) addAtFile(findings, path, { code: "empty-file", message: "the script is empty", severity: "warning" });
  else checkValue(simulatorScriptSchema, source, value, findings);
}
