import type { CompiledRunStep } from "../../compile/index.ts";
import { prepareValue } from "../../compile/index.ts";
import type { StepAction } from "../step-action.ts";

/** Runs another flow; in the journal it is called what it runs. */
export function runStep(step: CompiledRunStep): StepAction {
  const argument = prepareValue(step.with);
  return {
    kind: (context) => context.release.flows.get(step.flow)?.kind ?? "run",
    input: (scope) => argument(scope) ?? null,
    perform: (context, { input, place }, signal) => context.call(step.flow, input, place, signal),
  };
}
