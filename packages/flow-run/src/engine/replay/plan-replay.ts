import type { JsonSchema } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { CompiledFlow, CompiledStep, CompiledWorkflow } from "../../compile/index.ts";
import { pathParts, type RecordedNode, recordedTree } from "./recorded-tree.ts";
import { failureItself, type Leaf, leavesOf, standingResults, standingTurn, stands } from "./standing-results.ts";

export interface ReplayToPlan {
  /** Of the release that the new run is pinned to. */
  flows: { [name: string]: CompiledFlow };
  /** Of the run. */
  flow: string;
  /** Path of the step from which on everything executes anew. */
  from: string;
  steps: readonly { path: string; status: "succeeded" | "failed" | "skipped" }[];
  /** Paths of steps that were begun and not recorded. */
  underWay: readonly string[];
}

export interface ReplayPlan {
  /** Paths of the recorded steps that the new run takes over. */
  copied: string[];
  /** What these steps are in this release, in the order of the walk: what they do and which shape their output has. */
  before: { path: string; shape: unknown }[];
  /** The flow that the step calls, whose input can be given; null when it calls none. */
  calls: string | null;
}

/**
 * What a replay from a step takes over: everything recorded that the step cannot have influenced. That is what came before it and, in a parallel block or
 * among the elements of `forEach`, what stands beside it; the turns of a `repeat` come one after the other. Throws FlowRunError `unknown-step`,
 * `step-not-reached`.
 */
export function planReplay(replay: ReplayToPlan): ReplayPlan {
  const flow = replay.flows[replay.flow];
  if (flow?.kind === "task" && replay.from === flow.name) return { copied: [], before: [], calls: flow.name };
  const parts = pathParts(replay.from);
  if (flow?.kind !== "workflow" || parts === null) throw new UnknownStep(replay.from);
  const plan = new Plan(replay);
  plan.enterFlow(flow, recordedTree(replay.steps, replay.underWay), "", parts);
  return plan;
}

class Plan implements ReplayPlan {
  readonly copied: string[] = [];
  readonly before: ReplayPlan["before"] = [];
  calls: string | null = null;
  private readonly replay: ReplayToPlan;

  constructor(replay: ReplayToPlan) {
    this.replay = replay;
  }

  enterFlow(flow: CompiledWorkflow, at: RecordedNode | undefined, prefix: string, [id, ...rest]: string[]): void {
    const position = flow.steps.findIndex((step) => leavesOf(step).some((leaf) => leaf.id === id));
    const block = flow.steps[position];
    if (!block) throw new UnknownStep(this.replay.from);
    const target = leavesOf(block).find((leaf) => leaf.id === id)!;
    for (const leaf of flow.steps.slice(0, position + 1).flatMap(leavesOf)) {
      if (leaf === target) continue;
      this.copied.push(...standingResults(this.replay.flows, leaf, at?.children.get(leaf.id)));
      this.before.push({ path: prefix + leaf.id, shape: this.shapeOf(leaf) });
    }
    if (rest.length === 0 && !wasReached(flow.steps, position, target, at)) throw new NotReached(this.replay.from);
    this.enterStep(target, at?.children.get(target.id), `${prefix}${target.id}`, rest);
  }

  private enterStep(leaf: Leaf, node: RecordedNode | undefined, path: string, rest: string[]): void {
    if (!leaf.forEach && !leaf.repeat) {
      this.enterTurn(leaf, node, path, rest);
      return;
    }
    const [element, ...inside] = rest;
    // The step as a whole: every element, every turn.
    if (element === undefined) return;
    if (!element.startsWith("[")) throw new UnknownStep(this.replay.from);
    const turn = node?.children.get(element);
    if (!turn) throw new NotReached(this.replay.from);
    for (const [part, other] of node!.children) {
      const stays = leaf.forEach ? other !== turn : indexOf(part) < indexOf(element);
      if (stays) this.copied.push(...standingTurn(this.replay.flows, leaf, other));
    }
    this.enterTurn(leaf, turn, path + element, inside);
  }

  private enterTurn(leaf: Leaf, turn: RecordedNode | undefined, path: string, rest: string[]): void {
    const [part] = rest;
    if (part === undefined) {
      if (leaf.kind === "run") this.calls = leaf.flow;
      return;
    }
    if (part === "onError" && typeof leaf.onError === "object") {
      this.enterRescue(leaf.onError.run, turn, path, rest.slice(1));
      return;
    }
    if (part === "try") throw new OfARetry(this.replay.from, path);
    const flow = leaf.kind === "run" ? this.replay.flows[leaf.flow] : undefined;
    if (flow?.kind !== "workflow") throw new UnknownStep(this.replay.from);
    this.enterFlow(flow, turn, `${path}.`, rest);
  }

  private enterRescue(name: string, turn: RecordedNode | undefined, path: string, rest: string[]): void {
    if (turn?.status !== "failed") throw new NotReached(this.replay.from);
    this.copied.push(...failureItself(turn));
    if (rest.length === 0) {
      this.calls = name;
      return;
    }
    const flow = this.replay.flows[name];
    if (flow?.kind !== "workflow") throw new UnknownStep(this.replay.from);
    this.enterFlow(flow, turn.children.get("onError"), `${path}.onError.`, rest);
  }

  private shapeOf(leaf: Leaf): unknown {
    const { kind, forEach, repeat } = leaf;
    return { kind, forEach: forEach !== undefined, repeat: repeat !== undefined, output: this.outputOf(leaf) };
  }

  private outputOf(leaf: Leaf): JsonSchema | undefined {
    switch (leaf.kind) {
      case "run": {
        const flow = this.replay.flows[leaf.flow];
        if (flow?.kind !== "task") return flow?.outputSchema;
        return flow.output.format === "text" ? { type: "string" } : flow.output.schema;
      }
      case "http":
        return leaf.output;
      case "wait":
        return leaf.signal?.payload;
      case "set":
        return undefined;
    }
  }
}

/** Whether the walk came to this step: something of it is known, or of what follows it, or what stands right before it is certainly done. */
function wasReached(steps: readonly CompiledStep[], position: number, target: Leaf, at: RecordedNode | undefined): boolean {
  if (!at) return false;
  const known = (leaf: Leaf) => at.children.has(leaf.id);
  if (
    known(target) ||
    steps
      .slice(position + 1)
      .flatMap(leavesOf)
      .some(known)
  )
    return true;
  const before = steps[position - 1];
  return before === undefined || leavesOf(before).every((leaf) => isDone(leaf, at.children.get(leaf.id)));
}

/** Of a step with elements or turns nobody can tell how many there were to be, unless it was skipped. */
function isDone(leaf: Leaf, node: RecordedNode | undefined): boolean {
  if (!node) return false;
  return leaf.forEach || leaf.repeat ? node.status === "skipped" : stands(leaf, node);
}

function indexOf(part: string): number {
  return Number(part.slice(1, -1));
}

class UnknownStep extends FlowRunError {
  constructor(from: string) {
    super("unknown-step", `The flow has no step ${JSON.stringify(from.slice(0, 200))}`);
  }
}

class OfARetry extends FlowRunError {
  constructor(from: string, step: string) {
    super(
      "unknown-step",
      `${JSON.stringify(from.slice(0, 200))} belongs to a retry, and a replay begins with the first try; replay from ${step} or from a step inside it`,
    );
  }
}

class NotReached extends FlowRunError {
  constructor(from: string) {
    super("step-not-reached", `The run never came to the step ${JSON.stringify(from.slice(0, 200))}`);
  }
}
