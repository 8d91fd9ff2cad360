const SPAN_MS = 1_000;

/** How much was used within the last second or so: what is likely to be used in the next. */
export class RecentUse {
  private beganAtMs = 0;
  private now = { requests: 0, tokens: 0, places: 0 };
  private before = { requests: 0, tokens: 0, places: 0 };

  note(nowMs: number, tokens: number, placesInUse: number): void {
    this.turn(nowMs);
    this.now.requests++;
    this.now.tokens += tokens;
    this.now.places = Math.max(this.now.places, placesInUse);
  }

  forget(): void {
    this.now = { requests: 0, tokens: 0, places: 0 };
    this.before = this.now;
  }

  /** `places`: the most that were in use at once. */
  read(nowMs: number): { requests: number; tokens: number; places: number } {
    this.turn(nowMs);
    return {
      requests: Math.max(this.now.requests, this.before.requests),
      tokens: Math.max(this.now.tokens, this.before.tokens),
      places: Math.max(this.now.places, this.before.places),
    };
  }

  private turn(nowMs: number): void {
    const passed = nowMs - this.beganAtMs;
    if (passed < SPAN_MS) return;
    this.before = passed < 2 * SPAN_MS ? this.now : { requests: 0, tokens: 0, places: 0 };
    this.now = { requests: 0, tokens: 0, places: 0 };
    this.beganAtMs = nowMs;
  }
}
