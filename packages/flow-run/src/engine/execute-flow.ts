import type { Json, JsonSchema } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import { Budget } from "./budget.ts";
import { executeTask } from "./execute-task.ts";
import type { LoadedWorkflow } from "./loaded-release.ts";
import type { FlowPlace, RunContext } from "./run-context.ts";
import { withTimeout } from "./step-timeout.ts";
import { walkWorkflow } from "./walk-workflow.ts";

/** Flows cannot run in a circle, so this is a bound on what somebody writes by hand or has written by a program. */
const DEEPEST = 50;

/**
 * Executes one flow within a run. `path` addresses it in the journal: the step that called it, or the flow's own name for the run's first flow,
 * whose inner steps stand at the top (`prefix` empty).
 */
export async function executeFlow(context: RunContext, name: string, input: Json, place: FlowPlace, signal: AbortSignal): Promise<Json> {
  const flow = context.release.flows.get(name);
  if (!flow) throw new FlowRunError("unknown-flow", `The release has no flow "${name}".`);
  if (place.depth > DEEPEST)
    throw new FlowRunError("flows-too-deep", `Flows run each other more than ${DEEPEST} deep at ${place.path}. Flatten them.`);
  const checked = checkInput(context, name, flow.kind === "task" ? flow.task.input : flow.workflow.input, input);
  return flow.kind === "task"
    ? context.standstill.during(() => executeTask(context, flow, checked, place, signal))
    : executeWorkflow(context, flow, checked, place, signal);
}

/** The run's own duration counts over all its executions and is kept by whoever executes the run; that of a workflow within it by this process's clock. */
function executeWorkflow(context: RunContext, flow: LoadedWorkflow, input: Json, place: FlowPlace, signal: AbortSignal): Promise<Json> {
  const { name, limits } = flow.workflow;
  const inner = { ...place, budget: budgetOf(context, flow, place) };
  if (limits.durationMs === undefined || place.depth === 0) return walkWorkflow(context, flow, input, inner, signal);
  const expired = () =>
    new FlowRunError("limit-exceeded", `${place.path} took longer than limits.duration of ${name}: ${limits.durationMs} ms.`);
  return context.standstill.during(() =>
    withTimeout(context.world.clock, limits.durationMs, expired, signal, (bounded) => walkWorkflow(context, flow, input, inner, bounded)),
  );
}

/** A workflow without limits of its own spends from its caller's. */
function budgetOf(context: RunContext, { workflow }: LoadedWorkflow, { prefix, budget }: FlowPlace): Budget | null {
  const { costNanoUsd, tokens } = workflow.limits;
  if (costNanoUsd === undefined && tokens === undefined) return budget;
  return new Budget(workflow.name, { costNanoUsd, tokens }, context.spentBefore(prefix), budget);
}

/** Compilation checked what it could see; values of type any are checked here. */
function checkInput(context: RunContext, flow: string, schema: JsonSchema | undefined, input: Json): Json {
  if (schema === undefined) return input;
  const { value, errors } = context.world.validators.validate(schema, input, { defaults: true });
  const [first] = errors;
  if (!first) return value;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new FlowRunError(
    "invalid-input",
    `The input of ${flow} does not fit its schema: ${first.pointer || "the input"} ${first.message}${more}.`,
  );
}
