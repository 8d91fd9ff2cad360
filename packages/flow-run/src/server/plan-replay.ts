import { isDeepStrictEqual } from "node:util";
import { FlowRunError, isTerminal, type Json, type ReplayRun, suggest } from "@flow-run/spec";
import { planReplay, type ReplayPlan } from "../engine/index.ts";
import type { Replay, RunToReplay } from "../store/index.ts";
import type { LoadedRelease } from "./loaded-releases.ts";
import { RequestRefusal } from "./request-refusal.ts";
import type { ServerContext } from "./server-context.ts";

/** Of so many steps the nearest name is looked for; more would take too long. */
const MOST_CANDIDATES = 1_000;

/** What a run that replays `earlier` takes over from it, on this release. Throws RequestRefusal `invalid-input`, `not-replayable`, `release-not-found`. */
export async function planOf(
  context: ServerContext,
  earlier: RunToReplay,
  { from, input }: Pick<ReplayRun, "from" | "input">,
  release: LoadedRelease,
): Promise<Omit<Replay, "run">> {
  const of = earlier.run.id;
  const ofTheRun = from === undefined || earlier.run.kind === "task";
  if (earlier.run.contentsPrunedAt !== undefined && !(ofTheRun && input !== undefined)) throw contentsPruned();
  if (from === undefined) return { of, from: null, copied: [] };
  const { status } = earlier.run;
  if (!isTerminal(status)) {
    throw new RequestRefusal(
      "not-replayable",
      `The run has not ended (${status}), so what comes before a step of it may still change. Wait for its end or cancel it; or replay it as a whole, without \`from\`.`,
    );
  }
  const plan = planOn(release, earlier, from);
  if (release.number !== earlier.run.release) await refuseOtherSteps(context, earlier, from, plan, release);
  // The one step of a task has the run's own input.
  if (input === undefined || ofTheRun) return { of, from, copied: plan.copied };
  return { of, from, copied: plan.copied, input: acceptStepInput(context, release, from, plan, input) };
}

function contentsPruned(): RequestRefusal {
  return new RequestRefusal(
    "not-replayable",
    "The input of the run and the results of its steps were removed, as the environment's retention says. Replay it as a whole, with another `input`.",
  );
}

function planOn(release: LoadedRelease, { run, steps, underWay }: RunToReplay, from: string): ReplayPlan {
  try {
    return planReplay({ flows: release.bundle.flows, flow: run.flow, from, steps, underWay });
  } catch (error) {
    if (!FlowRunError.isInstance(error)) throw error;
    const unknown = error.code === "unknown-step";
    const near = unknown ? suggest(from, namesOf(steps)) : undefined;
    const hint = near === undefined ? `GET /v1/runs/${run.id}/steps lists the steps it has.` : `did you mean "${near}"?`;
    const detail = unknown ? "the flow has no such step" : "the run never came to it";
    throw new RequestRefusal("invalid-input", `${error.message}; ${hint}`, { errors: [{ detail, pointer: "/from" }] });
  }
}

/** Of steps, and of those that have elements or turns also the name for all of them. */
function namesOf(steps: RunToReplay["steps"]): Set<string> {
  return new Set(steps.slice(0, MOST_CANDIDATES).flatMap(({ path }) => [path, path.replace(/\[\d+\]$/, "")]));
}

/** Results may be taken over only where they mean the same: the steps before are the same, and what they give has the same shape. */
async function refuseOtherSteps(
  context: ServerContext,
  earlier: RunToReplay,
  from: string,
  plan: ReplayPlan,
  release: LoadedRelease,
): Promise<void> {
  const { run } = earlier;
  const former = await context.releases.get(run.environment, run.release);
  if (former === null) throw new RequestRefusal("release-not-found", `The release ${run.release} of the run is not there any more.`);
  const formerPlan = planOn(former, earlier, from);
  const differs = formerPlan.before.findIndex((step, index) => !isDeepStrictEqual(step, plan.before[index]));
  const changed = differs === -1 ? plan.before[formerPlan.before.length] : (plan.before[differs] ?? formerPlan.before[differs]);
  if (changed === undefined && isDeepStrictEqual(formerPlan.copied, plan.copied)) return;
  const what = changed === undefined ? "" : `, beginning with "${changed.path}"`;
  throw new RequestRefusal(
    "not-replayable",
    `The steps before "${from}" are not the same in release ${release.number} as in release ${run.release} of the run${what}: their results cannot be taken over. Leave \`release\` out to replay on release ${run.release}, or \`from\` to replay the whole run.`,
  );
}

function acceptStepInput(context: ServerContext, release: LoadedRelease, from: string, { calls }: ReplayPlan, input: Json): Json {
  if (calls === null) {
    const detail = `"${from}" has no input that can be given: it is no single call of a flow. Name the step, or the one element or turn of it, that calls one; or leave \`input\` out.`;
    throw new RequestRefusal("invalid-input", detail, { errors: [{ detail: "this step takes none", pointer: "/input" }] });
  }
  const flow = release.flow(calls);
  if (flow?.input === undefined) return input;
  const { value, errors } = context.validators.validate(flow.input, input, { defaults: true });
  if (errors.length === 0) return value;
  throw new RequestRefusal(
    "invalid-input",
    `The input does not fit the input schema of the flow "${calls}", which the step "${from}" calls; GET /v1/flows/${calls} shows it.`,
    { errors: errors.map((error) => ({ detail: error.message, pointer: `/input${error.pointer}` })) },
  );
}
