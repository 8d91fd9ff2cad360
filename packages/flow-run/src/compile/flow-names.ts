import type { DefinitionKind, Diagnostic, ProjectSource } from "@flow-run/spec";
import { diagnosticAt, nameHint } from "./diagnostic-at.ts";

const FLOW_KINDS = { prompt: "task", workflow: "workflow", agent: "agent" } as const;

/** Names of all flows, of those that could not be read too: an application starts any of them by name alone. */
export interface FlowNames {
  all: ReadonlySet<string>;
  /** Files that are there but could not be read; nothing is known of their flows. */
  broken: ReadonlySet<string>;
  diagnostics: Diagnostic[];
}

/** One namespace over tasks, workflows and agents: two flows of one name are an error, told at the later one. */
export function flowNames(source: ProjectSource): FlowNames {
  const files = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  for (const definition of [...source.prompts, ...source.workflows, ...source.agents]) {
    const { name } = definition;
    const file = definition.source.file.path;
    const first = files.get(name);
    if (first === undefined) {
      files.set(name, file);
      continue;
    }
    const message = `the ${FLOW_KINDS[definition.kind as keyof typeof FLOW_KINDS]} "${name}" has the name of ${first}`;
    const hint = "applications start tasks, workflows and agents by name alone: rename one of the files";
    diagnostics.push({ code: "duplicate-name", severity: "error", message, file, line: 1, column: 1, hint });
  }
  const isFlow = (kind: DefinitionKind | "partial") => Object.hasOwn(FLOW_KINDS, kind);
  const broken = new Set(source.broken.filter(({ kind }) => isFlow(kind)).map(({ name }) => name));
  return { all: new Set([...files.keys(), ...broken]), broken, diagnostics };
}

/** What is read and checked in shape but cannot be executed yet; and names of flows that evals speak of. */
export function checkOtherDefinitions(source: ProjectSource, names: FlowNames): Diagnostic[] {
  const agents = source.agents.map((agent) => {
    const hint = "leave the file out for now, or run the agent's prompt as a task";
    return diagnosticAt(
      { source: agent.source, path: ["prompt"], at: "key" },
      "error",
      "not-supported-yet",
      "this version does not run agents yet",
      hint,
    );
  });
  const evals = source.evals
    .filter(({ value }) => !names.all.has(value.flow))
    .map(({ source: at, value }) => {
      const hint = nameHint(value.flow, names.all, "write prompts/NAME.prompt or flows/NAME.yaml");
      return diagnosticAt({ source: at, path: ["flow"] }, "error", "unknown-flow", `there is no flow "${value.flow}"`, hint);
    });
  return [...agents, ...evals];
}
