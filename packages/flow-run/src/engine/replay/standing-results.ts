import type { CompiledFlow, CompiledStep } from "../../compile/index.ts";
import { type RecordedNode, recordedPaths } from "./recorded-tree.ts";

/** A step with an id; a parallel block is only a list of such. */
export type Leaf = Exclude<CompiledStep, { kind: "parallel" }>;

export function leavesOf(step: CompiledStep): Leaf[] {
  return step.kind === "parallel" ? step.steps.flatMap(leavesOf) : [step];
}

/** Whether the walk goes on behind this turn of a step: it ended well, or its failure was dealt with. */
export function stands(leaf: Leaf, turn: RecordedNode): boolean {
  if (turn.status !== "failed") return turn.status !== null;
  if (leaf.onError === "fail") return false;
  return leaf.onError === "continue" || turn.children.get("onError")?.status === "succeeded";
}

/**
 * Paths of what a walk can take over of one step. A failure that was not dealt with is left out, because it would end the new walk too; what ended well
 * inside a called workflow before that failure is kept.
 */
export function standingResults(flows: { [name: string]: CompiledFlow }, leaf: Leaf, node: RecordedNode | undefined): string[] {
  if (!node) return [];
  if (!leaf.forEach && !leaf.repeat) return standingTurn(flows, leaf, node);
  if (node.status === "skipped") return [node.path];
  return [...node.children.values()].flatMap((turn) => standingTurn(flows, leaf, turn));
}

export function standingTurn(flows: { [name: string]: CompiledFlow }, leaf: Leaf, turn: RecordedNode): string[] {
  if (stands(leaf, turn)) return recordedPaths(turn);
  if (turn.status === "failed" && typeof leaf.onError === "object") {
    return [...failureItself(turn), ...insideFlow(flows, leaf.onError.run, turn.children.get("onError"))];
  }
  return leaf.kind === "run" ? insideFlow(flows, leaf.flow, turn) : [];
}

/** A failed turn with all that led to the failure, without what was done about it. */
export function failureItself(turn: RecordedNode): string[] {
  return [turn.path, ...[...turn.children].flatMap(([part, child]) => (part === "onError" ? [] : recordedPaths(child)))];
}

function insideFlow(flows: { [name: string]: CompiledFlow }, name: string, at: RecordedNode | undefined): string[] {
  const flow = flows[name];
  if (flow?.kind !== "workflow" || !at) return [];
  return flow.steps.flatMap(leavesOf).flatMap((leaf) => standingResults(flows, leaf, at.children.get(leaf.id)));
}
