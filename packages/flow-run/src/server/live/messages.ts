import { LONGEST_MESSAGE_BYTES } from "../../store/index.ts";
import type { LiveEvent } from "./live-event.ts";

/** A piece of text takes at most this many code units: 6 bytes each where all of them are escaped. */
const PIECE = 1_000;

/** Events as messages between processes: JSON arrays, each within what one message may hold, text in pieces. An event that fits in none is left out. */
export function writeMessages(events: readonly LiveEvent[]): string[] {
  const messages: string[] = [];
  let parts: string[] = [];
  let bytes = 2;
  for (const event of merged(events)) {
    for (const piece of pieces(event)) {
      const part = JSON.stringify(piece);
      const length = Buffer.byteLength(part) + 1;
      if (length + 2 > LONGEST_MESSAGE_BYTES) continue;
      if (bytes + length > LONGEST_MESSAGE_BYTES) {
        messages.push(`[${parts.join(",")}]`);
        parts = [];
        bytes = 2;
      }
      parts.push(part);
      bytes += length;
    }
  }
  if (parts.length > 0) messages.push(`[${parts.join(",")}]`);
  return messages;
}

/** What another process of any version may have written: whatever is not understood is left out. */
export function readMessage(message: string): LiveEvent[] {
  try {
    const events = JSON.parse(message) as LiveEvent[];
    return Array.isArray(events) ? events.filter((event) => typeof event?.runId === "string" && typeof event.path === "string") : [];
  } catch {
    return [];
  }
}

/** Text that goes on where the event before ended becomes one with it. */
function merged(events: readonly LiveEvent[]): LiveEvent[] {
  const result: LiveEvent[] = [];
  for (const event of events) {
    const last = result.at(-1);
    const goesOn =
      event.type === "text-delta" &&
      last?.type === "text-delta" &&
      last.runId === event.runId &&
      last.path === event.path &&
      last.attempt === event.attempt &&
      last.offset + last.text.length === event.offset;
    if (goesOn) result[result.length - 1] = { ...last, text: last.text + event.text };
    else result.push(event);
  }
  return result;
}

/** Only what readers are shown goes on its way. */
function* pieces(event: LiveEvent): Generator<LiveEvent> {
  const { runId, path } = event;
  if (event.type === "step-started") yield { type: event.type, runId, path, kind: event.kind, atMs: event.atMs };
  else if (event.type === "step-finished") yield { type: event.type, runId, path, seq: event.seq };
  else if (event.type === "text-restarted") yield { type: event.type, runId, path, attempt: event.attempt };
  else {
    const { attempt, offset, text } = event;
    for (let start = 0; start < text.length; ) {
      let end = Math.min(text.length, start + PIECE);
      // Never between the two halves of one character.
      if (end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1]!)) end--;
      yield { type: "text-delta", runId, path, attempt, offset: offset + start, text: text.slice(start, end) };
      start = end;
    }
  }
}
