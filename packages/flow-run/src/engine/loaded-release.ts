import type { Json } from "@flow-run/spec";
import type { CompiledStep, CompiledTask, CompiledWorkflow, PreparedPrompt, PreparedValue } from "../compile/index.ts";
import { prepareCondition, prepareList, preparePrompt, prepareValue } from "../compile/index.ts";
import type { StepAction } from "./step-action.ts";
import { type LeafStep, loadAction } from "./steps/index.ts";

/** A bundle made ready to execute: expressions are closures, prompts are compiled templates. Immutable and shared by all runs of the release. */
export interface LoadedFlows {
  get(name: string): LoadedFlow | undefined;
}

export type LoadedFlow = LoadedTask | LoadedWorkflow;

export interface LoadedTask {
  kind: "task";
  task: CompiledTask;
  prompt: PreparedPrompt;
}

export interface LoadedWorkflow {
  kind: "workflow";
  workflow: CompiledWorkflow;
  steps: LoadedStep[];
  output: PreparedValue | null;
}

export type LoadedStep = LoadedParallel | LoadedLeaf;

export interface LoadedParallel {
  kind: "parallel";
  condition: ((scope: Scope) => boolean) | null;
  steps: LoadedLeaf[];
}

/** A step that does something itself, with whatever repeats, guards or rescues it. */
export interface LoadedLeaf {
  kind: "leaf";
  step: LeafStep;
  action: StepAction;
  condition: ((scope: Scope) => boolean) | null;
  items: ((scope: Scope) => readonly Json[]) | null;
  until: ((scope: Scope) => boolean) | null;
  rescue: { flow: string; argument: PreparedValue } | null;
}

/** Loads flows when they are first asked for: a run of one prompt compiles one prompt. */
export function loadFlows(flows: { [name: string]: CompiledTask | CompiledWorkflow }): LoadedFlows {
  const loaded = new Map<string, LoadedFlow>();
  return {
    get(name) {
      const known = loaded.get(name);
      if (known) return known;
      if (!Object.hasOwn(flows, name)) return undefined;
      const flow = loadFlow(flows[name] as CompiledTask | CompiledWorkflow);
      loaded.set(name, flow);
      return flow;
    },
  };
}

function loadFlow(flow: CompiledTask | CompiledWorkflow): LoadedFlow {
  if (flow.kind === "task") {
    return {
      kind: "task",
      task: flow,
      prompt: preparePrompt({ template: flow.template, partials: flow.partials, defaults: flow.defaults }),
    };
  }
  return { kind: "workflow", workflow: flow, steps: flow.steps.map(loadStep), output: flow.output ? prepareValue(flow.output) : null };
}

function loadStep(step: CompiledStep): LoadedStep {
  if (step.kind === "parallel") {
    return {
      kind: "parallel",
      condition: step.if ? prepareCondition(step.if) : null,
      steps: step.steps.map((child) => loadStep(child) as LoadedLeaf),
    };
  }
  return {
    kind: "leaf",
    step,
    action: loadAction(step),
    condition: step.if ? prepareCondition(step.if) : null,
    items: step.forEach ? prepareList(step.forEach.items) : null,
    until: step.repeat ? prepareCondition(step.repeat.until) : null,
    rescue: typeof step.onError === "object" ? { flow: step.onError.run, argument: prepareValue(step.onError.with) } : null,
  };
}

/** The scope of expressions; see the language's rule book for which names exist where. */
export interface Scope {
  input: Json;
  steps: { [id: string]: { output: Json } };
  run: { id: string; flow: string; environment: string; startedAt: Date };
  vars: { [name: string]: string };
  [name: string]: unknown;
}
