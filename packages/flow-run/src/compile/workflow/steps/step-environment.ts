import type { Node } from "yaml";
import type { CompiledStep } from "../../bundle.ts";
import type { Tree } from "../../expression/parse.ts";
import type { Scope } from "../../expression/scope.ts";
import type { Type } from "../../expression/type.ts";
import type { FinishedStep, StepRegistry } from "../step-registry.ts";
import type { WorkflowContext } from "../workflow-context.ts";

/** Where a step stands: what came before it, around it and beside it. */
export interface StepEnvironment {
  context: WorkflowContext;
  registry: StepRegistry;
  /** Conditions of the blocks around. */
  enclosing: readonly Tree[];
  /** Keys of these conditions; one that did not parse has a key that nothing else has. */
  enclosingKeys: readonly string[];
  siblings: ReadonlySet<string>;
}

/** A step compiled, and what later steps can read because of it. */
export interface CompiledStepResult {
  step: CompiledStep;
  finished: FinishedStep[];
}

/** What an action needs in order to be compiled. */
export interface ActionScope {
  scope: Scope;
  /** The same with `secrets`. */
  withSecrets: Scope;
  context: WorkflowContext;
}

/** An action compiled: its fields of the step, and the type of what one execution gives. */
export interface CompiledAction<Fields> {
  fields: Fields;
  output: Type;
}

/** Compiles the steps of a list one after the other; the last argument of a block's own compilation. */
export type CompileSteps = (nodes: readonly (Node | null)[], environment: StepEnvironment) => CompiledStepResult[];
