// One file a step kind: what a step of that kind does. The rest of the engine treats all kinds alike.
import type { CompiledStep } from "../../compile/index.ts";
import type { StepAction } from "../step-action.ts";
import { httpStep } from "./http-step.ts";
import { runStep } from "./run-step.ts";
import { setStep } from "./set-step.ts";
import { waitStep } from "./wait-step.ts";

export type LeafStep = Exclude<CompiledStep, { kind: "parallel" }>;

export function loadAction(step: LeafStep): StepAction {
  switch (step.kind) {
    case "run":
      return runStep(step);
    case "set":
      return setStep(step);
    case "wait":
      return waitStep(step);
    case "http":
      return httpStep(step);
  }
}
