import type { ClaimedRun } from "./store.ts";

/** A worker that executes runs which its own process accepts at once, without the way through the queue. */
export interface RunTaker {
  /**
   * Keeps room for `most` runs or fewer, and says for how many. None while runs may be waiting in the queue: nobody is to be overtaken. `take` must follow.
   */
  reserve(most: number): number;
  /** Gives the room back and hands the runs over that are now this worker's. There may be fewer than there was room for. */
  take(runs: readonly ClaimedRun[], reserved: number): void;
}
