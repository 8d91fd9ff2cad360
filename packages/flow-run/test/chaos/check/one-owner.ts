import type { ChaosHistory } from "../history.ts";

/** I4: epochs only grow, and whatever was written under an epoch was committed before the claim of the next. */
export function* oneOwner({ story }: ChaosHistory): Generator<string> {
  const claimedAt = new Map<string, number>();
  const last = new Map<string, number>();
  for (const { run, epoch, atMs } of story.claims) {
    const before = last.get(run) ?? 0;
    if (epoch !== before + 1) yield `one owner: ${run} went from epoch ${before} to ${epoch}`;
    last.set(run, epoch);
    claimedAt.set(`${run} ${epoch}`, atMs);
  }
  const written = [
    ...story.steps.map((step) => ({ ...step, what: `the step ${step.path}` })),
    ...story.attempts.map((attempt) => ({ ...attempt, what: `the attempt ${attempt.id}` })),
    ...story.turns.filter((turn) => turn.to !== "queued").map((turn) => ({ ...turn, what: `the status ${turn.to}` })),
  ];
  for (const { run, epoch, atMs, what } of written) {
    const own = claimedAt.get(`${run} ${epoch}`);
    const next = claimedAt.get(`${run} ${epoch + 1}`);
    if (own === undefined) yield `one owner: ${run} has ${what} under epoch ${epoch}, which nobody claimed`;
    else if (atMs < own) yield `one owner: ${run} has ${what} of epoch ${epoch} from before its claim`;
    if (next !== undefined && atMs > next) yield `one owner: ${run} has ${what} of epoch ${epoch} from after the next claim`;
  }
}
