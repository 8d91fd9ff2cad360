import type { AttemptEnd, AttemptStart, Journal, RunEnd, StepRecord } from "./journal.ts";

/** A journal that lasts as long as the process: for runs on a laptop and in tests, no database needed. */
export class MemoryJournal implements Journal {
  readonly steps: StepRecord[] = [];
  readonly attempts = new Map<string, { start: AttemptStart; end: AttemptEnd | null }>();
  end: RunEnd | null = null;

  appendStep(step: StepRecord): void {
    this.steps.push(step);
  }

  appendAttemptStart(start: AttemptStart): void {
    this.attempts.set(start.id, { start, end: null });
  }

  appendAttemptEnd(end: AttemptEnd): void {
    const attempt = this.attempts.get(end.id);
    if (attempt) attempt.end = end;
  }

  appendEnd(end: RunEnd): void {
    this.end = end;
  }

  async commit(): Promise<void> {}
}
