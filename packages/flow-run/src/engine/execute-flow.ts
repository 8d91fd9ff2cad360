import type { Json, JsonSchema } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import { executeTask } from "./execute-task.ts";
import type { FlowPlace, RunContext } from "./run-context.ts";
import { walkWorkflow } from "./walk-workflow.ts";

/**
 * Executes one flow within a run. `path` addresses it in the journal: the step that called it, or the flow's own name for the run's first flow,
 * whose inner steps stand at the top (`prefix` empty).
 */
export async function executeFlow(context: RunContext, name: string, input: Json, place: FlowPlace, signal: AbortSignal): Promise<Json> {
  const flow = context.release.flows.get(name);
  if (!flow) throw new FlowRunError("unknown-flow", `The release has no flow "${name}".`);
  const checked = checkInput(context, name, flow.kind === "task" ? flow.task.input : flow.workflow.input, input);
  return flow.kind === "task"
    ? context.standstill.during(() => executeTask(context, flow, checked, place.path, signal))
    : walkWorkflow(context, flow, checked, place.prefix, signal);
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
