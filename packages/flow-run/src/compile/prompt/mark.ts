import type { PromptRole } from "./prompt-message.ts";

/** What a helper asked for at one point of the rendered text. */
export type Mark =
  | { kind: "role"; role: PromptRole }
  | { kind: "history" }
  | { kind: "section"; purpose: string }
  | { kind: "media"; url: string; contentType?: string };

/** A stretch of rendered text, or a mark between two of them. */
export type Piece = string | Mark;

/**
 * Remembers the marks of one rendering. The text carries only a number behind a nonce that nobody outside can know, so that no input,
 * whatever it contains, becomes a role, a history or a media part.
 */
export class Marks {
  readonly #nonce: string;
  readonly #marks: Mark[] = [];

  /** `nonce`: unguessable, drawn anew for each rendering; letters, digits and - only. */
  constructor(nonce: string) {
    this.#nonce = nonce;
  }

  /** Text that stands for the mark until `split`. */
  place(mark: Mark): string {
    this.#marks.push(mark);
    return `<<<${this.#nonce}:${this.#marks.length - 1}>>>`;
  }

  /** Text and marks in order. */
  split(rendered: string): Piece[] {
    if (this.#marks.length === 0) return [rendered];
    const pieces: Piece[] = rendered.split(new RegExp(`<<<${this.#nonce}:(\\d+)>>>`));
    for (let at = 1; at < pieces.length; at += 2) pieces[at] = this.#marks[Number(pieces[at])]!;
    return pieces;
  }
}
