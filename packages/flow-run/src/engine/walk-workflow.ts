import type { Json } from "@flow-run/spec";
import { executeLeaf } from "./execute-leaf.ts";
import type { LoadedStep, LoadedWorkflow, Scope } from "./loaded-release.ts";
import type { FlowPlace, RunContext } from "./run-context.ts";
import { allOrAbort } from "./settle.ts";

/** Walks the steps in order; what the journal has is read, what is missing is done. Returns the workflow's output. */
export async function walkWorkflow(
  context: RunContext,
  flow: LoadedWorkflow,
  input: Json,
  place: FlowPlace,
  signal: AbortSignal,
): Promise<Json> {
  const scope: Scope = {
    input,
    steps: {},
    run: {
      id: context.run.id,
      flow: context.run.flow,
      environment: context.release.environment,
      startedAt: new Date(context.run.startedAtMs),
    },
    vars: context.release.vars,
  };
  let last: Json = null;
  for (const step of flow.steps) {
    signal.throwIfAborted();
    last = await walkStep(context, step, scope, place, signal);
  }
  return flow.output ? (flow.output(scope) ?? null) : last;
}

async function walkStep(context: RunContext, step: LoadedStep, scope: Scope, place: FlowPlace, signal: AbortSignal): Promise<Json> {
  if (step.kind === "leaf") {
    const output = await executeLeaf(context, step, scope, place, signal);
    scope.steps[step.step.id] = { output };
    return output;
  }
  const skipped = step.condition !== null && !step.condition(scope);
  const outputs = skipped
    ? step.steps.map(() => null)
    : await allOrAbort(
        step.steps.map((child) => (branch: AbortSignal) => executeLeaf(context, child, scope, place, branch)),
        step.steps.length,
        signal,
      );
  // Children see none of their siblings, so all become visible together.
  const byId: { [id: string]: Json } = {};
  step.steps.forEach((child, index) => {
    const output = outputs[index] ?? null;
    scope.steps[child.step.id] = { output };
    byId[child.step.id] = output;
  });
  return byId;
}
