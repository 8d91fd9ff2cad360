import type { Run, Step } from "@flow-run/spec";
import type { ChaosHistory } from "../history.ts";

/** After so many claims in a row without a finished step a run is given up: it counts as what kills its workers. */
const CLAIMS_UNTIL_GIVEN_UP = 5;
/** Attempts after which a step of the load's project fails for its vendor. */
const ATTEMPTS_AT_MOST = 11;

/** I2: every run ends; as cancelled only if somebody cancelled it, as failed only for a reason of its own. */
export function* endAlways(history: ChaosHistory): Generator<string> {
  const { runs, steps, accepted, story } = history;
  const cancelled = new Set([...accepted.values()].filter(({ order }) => order.cancelAfterMs !== null).map(({ run }) => run));
  for (const run of runs.values()) {
    if (run.finishedAt === null) yield `end always: ${run.id} is ${run.status}`;
    else if (run.status === "cancelled" && !cancelled.has(run.id)) yield `end always: nobody cancelled ${run.id}`;
    else if (run.status === "failed" && !mayFail(run, steps.get(run.id) ?? [], history))
      yield `end always: ${run.id} (${run.flow}) failed: ${run.error?.code} ${run.error?.message}`;
  }
  for (const id of story.orphans) yield `end always: nothing would ever wake ${id}`;
}

function mayFail(run: Run, steps: readonly Step[], { story }: ChaosHistory): boolean {
  if (run.error?.code === "poisoned") return story.claims.filter((claim) => claim.run === run.id).length > CLAIMS_UNTIL_GIVEN_UP;
  const culprit = steps.find((step) => step.path === run.error?.step);
  return culprit !== undefined && culprit.attempts.filter((attempt) => attempt.status !== "succeeded").length >= ATTEMPTS_AT_MOST;
}
