const SMALLEST = 20;
const LARGEST = 1_000;
/** A statement this short disturbs nobody, also on the embedded database, where others wait for it. */
const WANTED_MS = 25;

/** How many things one statement may look at, so that it stays short on whatever machine: grows and shrinks with the time that pages took. */
export class PageSize {
  private size = 50;

  get current(): number {
    return Math.round(this.size);
  }

  /** `seen` things took so long. */
  took(seen: number, ms: number): void {
    if (seen === 0) return;
    // At most by half at a time in either direction: one slow statement may have had other reasons.
    const fitting = (seen * WANTED_MS) / Math.max(1, ms);
    this.size = Math.min(LARGEST, Math.max(SMALLEST, Math.min(this.size * 1.5, Math.max(this.size / 2, fitting))));
  }
}
