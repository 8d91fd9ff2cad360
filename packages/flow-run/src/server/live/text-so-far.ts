import type { LiveEvent, TextDelta } from "./live-event.ts";

/** Code units of one answer. Longer ones are told as they come, but not from their beginning: a reader's buffer would not take it. */
const MOST_KEPT = 250_000;

/** The text of answers that are being written, so that who comes later, or missed something, can be given all of it. */
export class TextSoFar {
  private readonly runs = new Map<string, Map<string, { attempt: number; text: string }>>();

  get isEmpty(): boolean {
    return this.runs.size === 0;
  }

  add({ runId, path, attempt, offset, text }: TextDelta): void {
    let steps = this.runs.get(runId);
    if (steps === undefined) {
      if (offset !== 0) return;
      steps = new Map();
      this.runs.set(runId, steps);
    }
    const known = steps.get(path);
    if (known !== undefined && known.attempt === attempt && known.text.length === offset) known.text += text;
    else if (offset === 0) steps.set(path, { attempt, text });
    if (offset + text.length > MOST_KEPT) this.dropAttempt(runId, path, attempt);
  }

  /** An answer is complete, or void; not that of another attempt that asks at the same time. */
  dropAttempt(runId: string, path: string, attempt: number): void {
    const steps = this.runs.get(runId);
    if (steps?.get(path)?.attempt !== attempt) return;
    steps.delete(path);
    if (steps.size === 0) this.runs.delete(runId);
  }

  dropRun(runId: string): void {
    this.runs.delete(runId);
  }

  of(runId: string): LiveEvent[] {
    return [...(this.runs.get(runId) ?? [])].map(([path, { attempt, text }]) => ({
      type: "text-delta",
      runId,
      path,
      attempt,
      offset: 0,
      text,
    }));
  }
}
