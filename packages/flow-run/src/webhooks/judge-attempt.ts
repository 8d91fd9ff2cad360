import type { DeliveryOutcome } from "../store/index.ts";
import { readRetryAfter } from "./retry-after.ts";
import { pauseAfter } from "./schedule.ts";

/** What came back; `error` when nothing did. */
export type Attempted = { status: number; retryAfter: string | undefined } | { error: string };

/** What follows from an attempt, and why it failed (null: it did not). 2xx alone is a success; 410 disables the endpoint; everything else is tried again. */
export function judgeAttempt(
  attempted: Attempted,
  seriesAttempt: number,
  { random, nowMs }: { random: () => number; nowMs: number },
): { next: DeliveryOutcome["next"]; error: string | null } {
  if ("error" in attempted) return { next: again(seriesAttempt, random, null), error: attempted.error };
  const { status } = attempted;
  if (status >= 200 && status < 300) return { next: { status: "delivered" }, error: null };
  if (status === 410) return { next: { status: "disabled", gone: true }, error: "The endpoint answered 410: it wants no more messages." };
  const redirect = status >= 300 && status < 400 ? "; redirects are not followed" : "";
  return {
    next: again(seriesAttempt, random, readRetryAfter(attempted.retryAfter, nowMs)),
    error: `The endpoint answered ${status}${redirect}.`,
  };
}

function again(seriesAttempt: number, random: () => number, retryAfterMs: number | null): DeliveryOutcome["next"] {
  const afterMs = pauseAfter(seriesAttempt, random, retryAfterMs);
  return afterMs === null ? { status: "exhausted" } : { status: "retry", afterMs };
}
