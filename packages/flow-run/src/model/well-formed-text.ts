const REPLACEMENT = "\uFFFD";

/** Text that every store and every JSON can hold: NUL and lone surrogates become U+FFFD. */
export function wellFormedText(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes("\u0000") ? whole.replaceAll("\u0000", REPLACEMENT) : whole;
}

/** The same for text that comes in pieces: half of a surrogate pair at the end of a piece waits for the next one. */
export class WellFormedStream {
  private held = "";

  push(piece: string): string {
    let text = this.held + piece;
    this.held = "";
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.held = text.slice(-1);
      text = text.slice(0, -1);
    }
    return wellFormedText(text);
  }

  /** What was held back to the end stays alone. */
  end(): string {
    const rest = this.held === "" ? "" : REPLACEMENT;
    this.held = "";
    return rest;
  }
}
