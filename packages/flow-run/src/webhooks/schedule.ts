const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses before each attempt, counted from the failure of the one before: the schedule that Standard Webhooks recommends. */
const PAUSES_MS = [0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR] as const;

/** How often an endpoint is asked before it is given up. */
export const ATTEMPTS = PAUSES_MS.length;

/** Pauses are longer by up to this share, so that what failed together does not come back together. */
const JITTER = 0.2;

/** Nobody can ask for a longer pause. */
const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/** Milliseconds until the attempt after `attempt` (from 1); null when that was the last. `retryAfterMs` is what the endpoint asked for. */
export function pauseAfter(attempt: number, random: () => number, retryAfterMs: number | null = null): number | null {
  const pause = PAUSES_MS[attempt];
  if (pause === undefined) return null;
  return Math.round(Math.max(pause * (1 + JITTER * random()), Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)));
}
