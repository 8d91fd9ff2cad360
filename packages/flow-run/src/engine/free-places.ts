/** Such a run waits for somebody else, as a rule for a model: it needs memory, and no more. */
const STILL_AFTER_MS = 5_000;

/** So many times as many runs may be under way as may be at work. */
const MOST_STILL = 10;

/**
 * How many more runs a worker may take. Those that stand still do not count, up to a bound: otherwise a provider that hangs would, one after the
 * other, hold all places with its runs, and those of other providers would not even begin.
 */
export function freePlaces(concurrency: number, underWay: number, runs: Iterable<{ movedAtMs: number }>, nowMs: number): number {
  if (underWay < concurrency) return concurrency - underWay;
  let still = 0;
  for (const { movedAtMs } of runs) if (nowMs - movedAtMs >= STILL_AFTER_MS) still++;
  return Math.max(0, Math.min(concurrency - (underWay - still), concurrency * MOST_STILL - underWay));
}
