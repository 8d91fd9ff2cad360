import { notStorable } from "./group-commit/write-all.ts";
import type { AttemptEnd, AttemptStart, DurableWaits, Journal, RunEnd, StepRecord } from "./journal.ts";
import type { RunProgress, StoredAttemptEnd, StoredRunEnd, StoredStep } from "./queries/record-progress.ts";
import { measureValue } from "./record-size.ts";
import { storableText, storeJson } from "./storable-json.ts";

/** Writes what is appended as text at once, so that what the engine does with its values later does not matter, and hands it over with `commit`. */
export class DatabaseJournal implements Journal {
  readonly waits: DurableWaits;
  private readonly runId: string;
  private readonly epoch: number;
  private readonly record: (progress: RunProgress) => Promise<void>;
  private steps: StoredStep[] = [];
  private attemptStarts: AttemptStart[] = [];
  private attemptEnds: StoredAttemptEnd[] = [];
  private end: StoredRunEnd | null = null;
  private unstorable: Error | null = null;

  constructor(
    run: { id: string; epoch: number },
    record: (progress: RunProgress) => Promise<void>,
    waitsOf: (run: { id: string; epoch: number }, commit: () => Promise<void>) => DurableWaits,
  ) {
    this.waits = waitsOf(run, () => this.commit());
    this.runId = run.id;
    this.epoch = run.epoch;
    this.record = record;
  }

  appendStep(step: StepRecord): number {
    const size = measureValue(`input of ${step.path}`, step.input) + measureValue(`output of ${step.path}`, step.output);
    this.keep(() =>
      this.steps.push({
        ...step,
        path: storableText(step.path),
        kind: storableText(step.kind),
        input: storeJson(step.input),
        output: storeJson(step.output),
        error: storeJson(step.error),
      }),
    );
    return size;
  }

  appendAttemptStart(attempt: AttemptStart): void {
    this.attemptStarts.push({
      ...attempt,
      stepPath: storableText(attempt.stepPath),
      provider: storableText(attempt.provider),
      model: storableText(attempt.model),
    });
  }

  appendAttemptEnd(attempt: AttemptEnd): void {
    // A bill must not be lost to the oddness of what came with it.
    let rawUsage: string | null = null;
    try {
      rawUsage = storeJson(attempt.rawUsage);
    } catch {
      // too deep to be written; the buckets are kept
    }
    this.attemptEnds.push({
      ...attempt,
      rawUsage,
      error: storeJson(attempt.error),
      priceVersion: storableText(attempt.priceVersion),
      finishReason: storableText(attempt.finishReason),
      responseModel: storableText(attempt.responseModel),
    });
  }

  appendEnd(end: RunEnd): void {
    measureValue("output of the run", end.output);
    this.keep(() => {
      this.end = { status: end.status, output: storeJson(end.output), error: storeJson(end.error) };
    });
  }

  async commit(): Promise<void> {
    const { runId, epoch, steps, attemptStarts, attemptEnds, end, unstorable } = this;
    this.steps = [];
    this.attemptStarts = [];
    this.attemptEnds = [];
    this.end = null;
    this.unstorable = null;
    if (unstorable) {
      if (attemptEnds.length > 0) await this.record({ runId, epoch, steps: [], attemptStarts: [], attemptEnds, end: null });
      throw notStorable(unstorable);
    }
    if (attemptEnds.some((attempt) => attemptStarts.some((start) => start.id === attempt.id))) {
      // One statement cannot see what it inserts itself. Nobody has to wait between a beginning and its end, so this is rare.
      await this.record({ runId, epoch, steps, attemptStarts, attemptEnds: [], end: null });
      await this.record({ runId, epoch, steps: [], attemptStarts: [], attemptEnds, end });
    } else if (steps.length + attemptStarts.length + attemptEnds.length > 0 || end) {
      await this.record({ runId, epoch, steps, attemptStarts, attemptEnds, end });
    }
  }

  /** A value that cannot be written (nested too deeply) fails the commit and not the caller of `append…`, who only queues. */
  private keep(append: () => void): void {
    try {
      append();
    } catch (error) {
      this.unstorable ??= error instanceof Error ? error : new Error(String(error));
    }
  }
}
