import type { Json } from "@flow-run/spec";
import type { AttemptEnd, AttemptStart, DurableWaits, Journal, RunEnd, StepRecord } from "./journal.ts";
import type { RunProgress, StoredAttemptEnd, StoredRunEnd, StoredStep } from "./queries/record-progress.ts";
import { checkLength, measureValue } from "./record-size.ts";
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
    const input = storeValue(`input of ${step.path}`, step.input);
    const output = storeValue(`output of ${step.path}`, step.output);
    this.steps.push({
      ...step,
      path: storableText(step.path),
      kind: storableText(step.kind),
      input,
      output,
      error: storeJson(step.error),
    });
    return (input?.length ?? 0) + (output?.length ?? 0);
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
    this.end = { status: end.status, output: storeValue("output of the run", end.output), error: storeJson(end.error) };
  }

  async commit(): Promise<void> {
    const { runId, epoch, steps, attemptStarts, attemptEnds, end } = this;
    this.steps = [];
    this.attemptStarts = [];
    this.attemptEnds = [];
    this.end = null;
    if (attemptEnds.some((attempt) => attemptStarts.some((start) => start.id === attempt.id))) {
      // One statement cannot see what it inserts itself. Nobody has to wait between a beginning and its end, so this is rare.
      await this.record({ runId, epoch, steps, attemptStarts, attemptEnds: [], end: null });
      await this.record({ runId, epoch, steps: [], attemptStarts: [], attemptEnds, end });
    } else if (steps.length + attemptStarts.length + attemptEnds.length > 0 || end) {
      await this.record({ runId, epoch, steps, attemptStarts, attemptEnds, end });
    }
  }
}

/** Measured before it is written: values share parts, so that one can be small in memory and endless as JSON. */
function storeValue(what: string, value: Json): string | null {
  measureValue(what, value);
  const text = storeJson(value);
  if (text !== null) checkLength(what, text);
  return text;
}
