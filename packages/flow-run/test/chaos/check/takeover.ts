import type { PerformedFault } from "../faults.ts";
import type { ChaosHistory } from "../history.ts";
import type { FaultKind } from "../plan.ts";

/** From the moment a worker is lost until its run is another's: a lease of 10 s, the look for it and the claim. */
export const TAKEOVER_BOUND_MS = 15_000;

const LOSSES: readonly FaultKind[] = ["kill-worker", "freeze-worker", "cut-worker", "hang-worker", "kill-door"];
/** While one of these lasts, and a little after, nobody can take anything over. */
const DISTURBANCES: readonly FaultKind[] = ["database-crash", "connection-storm"];

export interface Takeover {
  run: string;
  fault: PerformedFault;
  tookMs: number;
  /** The database itself was away in that time. */
  disturbed: boolean;
}

/** Runs that a lost server had under way, and how long they waited for another. */
export function takeovers({ story, faults }: ChaosHistory): Takeover[] {
  const claims = Map.groupBy(story.claims, (claim) => claim.run);
  const turns = Map.groupBy(story.turns, (turn) => turn.run);
  return faults
    .filter((fault) => LOSSES.includes(fault.kind))
    .flatMap((fault) =>
      [...claims].flatMap(([run, its]) => {
        const next = its.find((claim) => claim.atMs > fault.fromMs);
        const held = its.findLast((claim) => claim.atMs <= fault.fromMs);
        const status = turns.get(run)?.findLast((turn) => turn.atMs <= fault.fromMs)?.to;
        if (!next || held?.owner !== fault.server || status !== "running") return [];
        // Handed on in the meantime, in good order: it waited for a signal, or was cancelled.
        if (turns.get(run)!.some((turn) => turn.atMs > fault.fromMs && turn.atMs < next.atMs)) return [];
        const disturbed = faults.some(
          (other) => DISTURBANCES.includes(other.kind) && other.fromMs < next.atMs && other.toMs > fault.fromMs,
        );
        return [{ run, fault, tookMs: next.atMs - fault.fromMs, disturbed }];
      }),
    );
}

/** Other workers are there within the bound; twice that where the database was away. */
export function* takenOverInTime(history: ChaosHistory): Generator<string> {
  for (const { run, fault, tookMs, disturbed } of takeovers(history)) {
    const boundMs = TAKEOVER_BOUND_MS * (disturbed ? 2 : 1);
    if (tookMs > boundMs) yield `takeover: ${run} waited ${Math.round(tookMs)} ms after ${fault.kind} of ${fault.server}`;
  }
}
