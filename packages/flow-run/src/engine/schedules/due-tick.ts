import type { Ticks } from "../../compile/index.ts";

/** A tick that nobody could run when it came is still run when it is no older than this. */
export const CATCH_UP_MS = 24 * 3_600_000;

/**
 * What a schedule has to do at a moment: the tick that is due, null if none is, and when to look again. Of several ticks that were missed, the last one
 * counts for all: whoever missed a day of hourly imports wants one import.
 */
export function dueTick(ticks: Ticks, tickedUntilMs: number, nowMs: number): { due: number | null; next: number | null } {
  return {
    due: ticks.last(Math.max(tickedUntilMs, nowMs - CATCH_UP_MS), nowMs),
    next: ticks.next(Math.max(tickedUntilMs, nowMs)),
  };
}
