// What must hold whatever happened, checked from outside: one file a guarantee.
import type { ChaosHistory, Check } from "../history.ts";
import { FAULT_KINDS } from "../plan.ts";
import { acceptOnce } from "./accept-once.ts";
import { costExact } from "./cost-exact.ts";
import { endAlways } from "./end-always.ts";
import { endsAndWebhooks } from "./ends-and-webhooks.ts";
import { isolation } from "./isolation.ts";
import { neverRepeat } from "./never-repeat.ts";
import { oneOwner } from "./one-owner.ts";
import { oneStory } from "./one-story.ts";
import { takenOverInTime } from "./takeover.ts";

const CHECKS: readonly Check[] = [
  acceptOnce,
  endAlways,
  neverRepeat,
  oneOwner,
  endsAndWebhooks,
  costExact,
  oneStory,
  isolation,
  takenOverInTime,
  everyFaultFired,
];

/** Every violation, in words; empty when all guarantees hold. */
export function violationsOf(history: ChaosHistory): string[] {
  return CHECKS.flatMap((check) => [...check(history)]);
}

/** A fault that hit nothing proves nothing. */
function* everyFaultFired({ faults, story }: ChaosHistory): Generator<string> {
  for (const kind of FAULT_KINDS) {
    const its = faults.filter((fault) => fault.kind === kind);
    if (its.length === 0 || its.some((fault) => !fault.fired)) yield `faults: ${kind} did not fire`;
  }
  if (!story.claims.some((claim) => claim.epoch > 1)) yield "faults: no run was ever taken over";
}
