import type { Chirp } from "../canary.ts";
import type { ChaosHistory } from "../history.ts";

/** With a vendor and receivers that are sick, and servers and database well: for 99 of 100 runs on a vendor that is well. A busy machine needs most of it. */
export const CALM_BOUND_MS = 10_000;
/** With servers and the database failing: a lease that has to run out, and a database that has to come back. */
export const STORMY_BOUND_MS = 30_000;

/** I8: who is well is not held up by who is not. */
export function* isolation(history: ChaosHistory): Generator<string> {
  const { calm, stormy } = chirpsOf(history);
  const silent = history.chirps.filter((chirp) => chirp.tookMs === null);
  if (silent.length > 0) yield `isolation: ${silent.length} canary runs were not seen to end`;
  for (const [name, chirps, boundMs] of [
    ["calm", calm, CALM_BOUND_MS],
    ["stormy", stormy, STORMY_BOUND_MS],
  ] as const) {
    const slowest = percentile(chirps, 0.99);
    if (slowest !== null && slowest > boundMs) yield `isolation: the 99th percentile of the canary in ${name} times is ${slowest} ms`;
  }
}

/** Those that ended before the first fault, and all others. */
export function chirpsOf({ chirps, faultsFromMs }: ChaosHistory): { calm: Chirp[]; stormy: Chirp[] } {
  const isCalm = ({ startedMs, tookMs }: Chirp) => tookMs !== null && startedMs + tookMs < faultsFromMs;
  return { calm: chirps.filter(isCalm), stormy: chirps.filter((chirp) => !isCalm(chirp)) };
}

/** Milliseconds; null of none. */
export function percentile(chirps: readonly Chirp[], share: number): number | null {
  const took = chirps
    .map((chirp) => chirp.tookMs)
    .filter((ms) => ms !== null)
    .sort((a, b) => a - b);
  return took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? null;
}
