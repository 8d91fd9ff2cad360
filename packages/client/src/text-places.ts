import type { RunEvent } from "@flow-run/spec";

/** How far the text of each step under way was read: a new connection tells it from its beginning again. */
export class TextPlaces {
  private readonly places = new Map<string, { attempt: number; length: number }>();

  /** What of an event is new. */
  *unread(event: RunEvent): Generator<RunEvent, void, undefined> {
    if (event.type === "text-delta") yield* this.newText(event);
    else if (event.type === "text-restarted") {
      const { path, attempt } = event;
      if (attempt <= (this.places.get(path)?.attempt ?? 0)) return;
      this.places.set(path, { attempt, length: 0 });
      yield event;
    } else {
      if (event.type === "step-finished") this.places.delete(event.step.path);
      yield event;
    }
  }

  private *newText(event: Extract<RunEvent, { type: "text-delta" }>): Generator<RunEvent, void, undefined> {
    const { path, attempt, offset, text } = event;
    const known = this.places.get(path);
    if (known !== undefined && attempt < known.attempt) return;
    const isNew = known === undefined || attempt > known.attempt;
    const length = isNew ? 0 : known.length;
    if (offset + text.length <= length) return;
    if (isNew && known !== undefined && known.length > 0) yield { type: "text-restarted", path, attempt };
    this.places.set(path, { attempt, length: offset + text.length });
    const skipped = Math.max(0, length - offset);
    yield { ...event, offset: offset + skipped, text: text.slice(skipped) };
  }
}
