import { Interruption } from "./interruption.ts";

/** Steps that one run may record, those of the workflows inside it included. */
export const MOST_STEPS = 200_000;

/** UTF-16 units of JSON that all inputs and outputs of a run's steps may take together. Whoever takes the run over holds them in memory. */
export const LARGEST_JOURNAL = 256_000_000;

/** Elements of one forEach. */
export const MOST_ITEMS = 100_000;

/** So much may wait for a commit that somebody else asks for. */
const QUEUED_STEPS = 500;
const QUEUED_SIZE = 1_000_000;

/** Counts what a run records. A run that goes beyond the bounds ends: nothing inside it can go on. */
export class RunSize {
  private steps: number;
  private size: number;
  private queuedSteps = 0;
  private queuedSize = 0;

  constructor(steps: number, size: number) {
    this.steps = steps;
    this.size = size;
  }

  /** Before a step is recorded. Throws an `Interruption`. */
  check(path: string): void {
    if (this.steps >= MOST_STEPS) {
      throw new Interruption(
        "too-many-steps",
        `The run has recorded ${MOST_STEPS} steps, the most that one run may, and ${path} would be one more. Start several runs with a part of the work each.`,
      );
    }
  }

  /** After a step was queued for the journal, with the size that it takes there. Throws an `Interruption`. */
  add(path: string, size: number): void {
    this.steps++;
    this.size += size;
    this.queuedSteps++;
    this.queuedSize += size;
    if (this.size > LARGEST_JOURNAL) {
      throw new Interruption(
        "journal-too-large",
        `With ${path}, the inputs and outputs of the run's steps take more than ${LARGEST_JOURNAL / 1e6} MB, the most that one run may record. Pass on less from step to step, or start several runs.`,
      );
    }
  }

  /** True when more is queued than should wait; asks once. */
  takeFull(): boolean {
    if (this.queuedSteps < QUEUED_STEPS && this.queuedSize < QUEUED_SIZE) return false;
    this.queuedSteps = 0;
    this.queuedSize = 0;
    return true;
  }
}
