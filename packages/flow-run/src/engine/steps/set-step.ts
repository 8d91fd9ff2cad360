import type { CompiledSetStep } from "../../compile/index.ts";
import { prepareValue } from "../../compile/index.ts";
import type { StepAction } from "../step-action.ts";

/** Gives names to values: its output is its input. */
export function setStep(step: CompiledSetStep): StepAction {
  const values = prepareValue(step.set);
  return {
    kind: () => "set",
    input: (scope) => values(scope) ?? null,
    perform: async (_context, { input }) => input,
  };
}
