import type { Diagnostic, ProjectSource } from "@flow-run/spec";
import type { CompiledStep, CompiledWorkflow } from "./bundle.ts";
import { diagnosticAt, nameHint } from "./diagnostic-at.ts";

/** Kinds of step that the engine of this version executes, each with if, forEach, repeat, onError, timeout and retries. */
export const SUPPORTED_STEP_KINDS: readonly CompiledStep["kind"][] = ["run", "set", "http", "wait", "parallel"];

/** What is a right workflow, but not executed by this version: better known now than when a run comes there. */
export function unsupportedSteps(workflow: Omit<CompiledWorkflow, "hash">): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const visit = (steps: readonly CompiledStep[]): void => {
    for (const step of steps) {
      if (!SUPPORTED_STEP_KINDS.includes(step.kind)) {
        const { file, line, column } = step.at;
        const message = `this version does not execute ${step.kind} steps yet`;
        const hint = `it executes steps of the kinds ${SUPPORTED_STEP_KINDS.join(", ")}`;
        diagnostics.push({ code: "not-supported-yet", severity: "error", message, file, line, column, hint });
      } else if (step.kind === "parallel") {
        visit(step.steps);
      }
    }
  };
  visit(workflow.steps);
  return diagnostics;
}

/** Names that workflows read as `vars.NAME` and an environment does not set: a run there would fail. */
export function missingVariables(variables: readonly string[], { source, value }: ProjectSource["project"]): Diagnostic[] {
  return Object.entries(value.environments ?? {}).flatMap(([environment, { vars }]) =>
    variables
      .filter((name) => !Object.hasOwn(vars ?? {}, name))
      .map((name) => {
        const near = nameHint(name, Object.keys(vars ?? {}), `add it: vars: { ${name}: … }`);
        const at = { source, path: ["environments", environment, "vars"], at: "key" as const };
        return diagnosticAt(at, "warning", "missing-variable", `workflows read vars.${name}, which ${environment} does not set`, near);
      }),
  );
}
