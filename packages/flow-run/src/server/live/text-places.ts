import type { Step } from "@flow-run/spec";
import type { LiveEvent, TextDelta } from "./live-event.ts";

/** What to do with a piece of text: show (part of) it, leave it out because it was shown or is void, or ask for what is missing before it. */
export type Placed = { show: TextDelta; restarted: boolean } | "nothing" | "gap";

/**
 * How far one reader has read the text of each step. Pieces may come twice, late, from an attempt that was given up, or with a gap before them; what is
 * shown has none of that.
 */
export class TextPlaces {
  private readonly places = new Map<string, { attempt: number; length: number }>();
  /** Steps whose record was shown: their text is whole. */
  private readonly finished = new Set<string>();

  place(delta: TextDelta): Placed {
    const { path, attempt, offset, text } = delta;
    if (this.finished.has(path)) return "nothing";
    const known = this.places.get(path);
    if (known !== undefined && attempt < known.attempt) return "nothing";
    const isNew = known === undefined || attempt > known.attempt;
    const length = isNew ? 0 : known.length;
    if (offset > length) return "gap";
    if (offset + text.length <= length) return "nothing";
    this.places.set(path, { attempt, length: offset + text.length });
    return { show: { ...delta, offset: length, text: text.slice(length - offset) }, restarted: isNew && (known?.length ?? 0) > 0 };
  }

  /** False: the reader knows, or has seen nothing that could be void. */
  restart({ path, attempt }: Extract<LiveEvent, { type: "text-restarted" }>): boolean {
    const known = this.places.get(path);
    if (this.finished.has(path) || known === undefined || attempt <= known.attempt) return false;
    this.places.set(path, { attempt, length: 0 });
    return known.length > 0;
  }

  /** A step is recorded. What its reader has not been shown of a text that it has begun to read; null: nothing. */
  finish({ path, output, attempts }: Pick<Step, "path" | "output" | "attempts">): Omit<TextDelta, "type" | "runId"> | null {
    const known = this.places.get(path);
    this.finished.add(path);
    this.places.delete(path);
    if (known === undefined || typeof output !== "string" || output.length <= known.length) return null;
    const last = attempts.at(-1);
    if (last?.status !== "succeeded" || last.number !== known.attempt) return null;
    return { path, attempt: known.attempt, offset: known.length, text: output.slice(known.length) };
  }
}
