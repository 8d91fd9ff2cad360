import type { JsonSchema } from "@flow-run/spec";
import {
  type Bundle,
  type CompiledFlow,
  type CompiledSchedule,
  type CompiledStep,
  type CompiledStepBase,
  type CompiledTask,
  type CompiledWorkflow,
  calledFlows,
  resolveModel,
} from "../../compile/index.ts";
import { conditionText, valueText } from "./value-text.ts";

/** What a flow is made of, as `flow-run graph --json` prints it. Expressions are text; times are milliseconds. */
export interface FlowNode {
  name: string;
  kind: CompiledFlow["kind"];
  description: string | null;
  file: string;
  /** JSON Schemas; true: anything. */
  input: JsonSchema;
  output: JsonSchema;
  /** Of a task. */
  model?: ModelNode;
  /** Of a workflow. */
  limits?: { costUsd?: number; durationMs?: number; tokens?: number; concurrency?: number };
  schedule?: CompiledSchedule;
  steps?: StepNode[];
}

export interface ModelNode {
  /** As the prompt names it. */
  name: string;
  /** `provider/model`, the fallbacks after the first. */
  targets: string[];
}

export interface StepNode {
  /** null for a parallel block. */
  id: string | null;
  kind: CompiledStep["kind"];
  if?: string;
  forEach?: { items: string; as: string; concurrency: number };
  repeat?: { until: string; max: number; exhausted: "last" | "fail" };
  timeoutMs?: number;
  retries?: number;
  /** Absent: the failure fails the run. */
  onError?: "continue" | { run: string };
  /** The flow that a `run` step calls. */
  flow?: string;
  request?: { method: string; url: string };
  wait?: { signal?: string; timeoutMs?: number; forMs?: number };
  /** Names of the values that a `set` step makes. */
  set?: string[];
  /** The branches of a parallel block. */
  steps?: StepNode[];
}

/** A flow and, by name, all that it reaches, itself included. */
export interface FlowGraph {
  flow: string;
  flows: { [name: string]: FlowNode };
}

/** The graph of a flow with the models of an environment. */
export function flowGraph(bundle: Bundle, name: string, environment: string): FlowGraph {
  const flows: FlowGraph["flows"] = Object.create(null);
  const visit = (each: string): void => {
    if (each in flows) return;
    const flow = bundle.flows[each]!;
    flows[each] = flow.kind === "task" ? taskNode(flow, bundle, environment) : workflowNode(flow);
    calledFlows(flow).forEach(visit);
  };
  visit(name);
  return { flow: name, flows };
}

function baseOf({ name, kind, description, file, input }: CompiledFlow) {
  return { name, kind, description: description ?? null, file, input: input ?? true };
}

function taskNode(task: CompiledTask, bundle: Bundle, environment: string): FlowNode {
  const { targets } = resolveModel(bundle, environment, task.model);
  return {
    ...baseOf(task),
    output: task.output.format === "text" ? { type: "string" } : (task.output.schema ?? true),
    model: { name: task.model, targets: targets.map(({ provider, model }) => `${provider}/${model}`) },
  };
}

function workflowNode(workflow: CompiledWorkflow): FlowNode {
  const { limits, concurrency, schedule } = workflow;
  const { costNanoUsd, ...others } = limits;
  const shown = {
    ...(costNanoUsd === undefined ? {} : { costUsd: costNanoUsd / 1e9 }),
    ...others,
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  return {
    ...baseOf(workflow),
    output: workflow.outputSchema,
    ...(Object.keys(shown).length === 0 ? {} : { limits: shown }),
    ...(schedule === undefined ? {} : { schedule }),
    steps: workflow.steps.map(stepNode),
  };
}

function stepNode(step: CompiledStep): StepNode {
  const condition = step.if === undefined ? {} : { if: conditionText(step.if) };
  if (step.kind === "parallel") return { id: null, kind: "parallel", ...condition, steps: step.steps.map(stepNode) };
  return { id: step.id, kind: step.kind, ...condition, ...turnsOf(step), ...actionOf(step) };
}

function turnsOf({ forEach, repeat, timeoutMs, retries, onError }: CompiledStepBase): Partial<StepNode> {
  return {
    ...(forEach === undefined ? {} : { forEach: { ...forEach, items: conditionText(forEach.items) } }),
    ...(repeat === undefined ? {} : { repeat: { ...repeat, until: conditionText(repeat.until) } }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retries === 0 ? {} : { retries }),
    ...(onError === "fail" ? {} : { onError: onError === "continue" ? onError : { run: onError.run } }),
  };
}

function actionOf(step: Exclude<CompiledStep, { kind: "parallel" }>): Partial<StepNode> {
  switch (step.kind) {
    case "run":
      return { flow: step.flow };
    case "http":
      return { request: { method: step.method, url: valueText(step.url) } };
    case "wait":
      return {
        wait: {
          ...(step.signal === undefined ? {} : { signal: step.signal.name }),
          ...(step.signal?.timeoutMs === undefined ? {} : { timeoutMs: step.signal.timeoutMs }),
          ...(step.forMs === undefined ? {} : { forMs: step.forMs }),
        },
      };
    case "set":
      return { set: "map" in step.set ? step.set.map.map(([name]) => name) : namesOf(step.set) };
  }
}

function namesOf(value: object): string[] {
  const literal = "literal" in value ? value.literal : null;
  return typeof literal === "object" && literal !== null ? Object.keys(literal) : [];
}
