import fc from "fast-check";
import { expect, test } from "vitest";
import { LONGEST_MESSAGE_BYTES } from "../../store/index.ts";
import type { LiveEvent } from "./live-event.ts";
import { readMessage, writeMessages } from "./messages.ts";
import { TextPlaces } from "./text-places.ts";

const delta = (path: string, offset: number, text: string): LiveEvent => ({
  type: "text-delta",
  runId: "run_1",
  path,
  attempt: 1,
  offset,
  text,
});

test("whatever text is written arrives whole, in messages that fit", () => {
  const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 4_000 }), { maxLength: 8 });
  fc.assert(
    fc.property(texts, fc.boolean(), (pieces, control) => {
      const events: LiveEvent[] = [];
      let offset = 0;
      for (const piece of pieces) {
        const text = control ? "\u0001".repeat(piece.length) : piece;
        events.push(delta("a", offset, text), delta("b", offset, text));
        offset += text.length;
      }
      const messages = writeMessages(events);
      for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(LONGEST_MESSAGE_BYTES);
      const read = messages.flatMap(readMessage);
      for (const path of ["a", "b"]) {
        const parts = read.filter((event) => event.path === path);
        let text = "";
        for (const part of parts) {
          if (part.type !== "text-delta") throw new Error(part.type);
          expect(part.offset).toBe(text.length);
          expect(part.text.isWellFormed()).toBe(true);
          text += part.text;
        }
        expect(text).toBe(events.flatMap((event) => (event.type === "text-delta" && event.path === path ? [event.text] : [])).join(""));
      }
    }),
  );
});

test("other events arrive as they are, and what is not understood is left out", () => {
  const events: LiveEvent[] = [
    { type: "step-started", runId: "run_1", path: "a", kind: "task", atMs: 5 },
    { type: "text-restarted", runId: "run_1", path: "a", attempt: 2 },
    { type: "step-finished", runId: "run_1", path: "a", seq: 3 },
  ];
  expect(writeMessages(events).flatMap(readMessage)).toEqual(events);
  expect(writeMessages([{ type: "step-started", runId: "r", path: "p".repeat(10_000), kind: "task", atMs: 1 }])).toEqual([]);
  for (const nonsense of ["", "{}", "null", '[1, null, {"type": "x"}]']) expect(readMessage(nonsense)).toEqual([]);
});

test("a reader is shown each piece once and in order, asks for what is missing, and gets the rest from the record", () => {
  const places = new TextPlaces();
  const show = (attempt: number, offset: number, text: string) => {
    const placed = places.place({ type: "text-delta", runId: "r", path: "a", attempt, offset, text });
    return typeof placed === "string" ? placed : `${placed.restarted ? "again: " : ""}${placed.show.offset} ${placed.show.text}`;
  };
  expect([show(1, 0, "Once"), show(1, 0, "Once upon"), show(1, 2, "ce"), show(1, 20, "far"), show(1, 9, " a")]).toEqual([
    "0 Once",
    "4  upon",
    "nothing",
    "gap",
    "9  a",
  ]);
  expect([show(2, 0, "Well"), show(1, 11, " time")]).toEqual(["again: 0 Well", "nothing"]);
  expect(places.restart({ type: "text-restarted", runId: "r", path: "a", attempt: 2 })).toBe(false);
  const attempts = [
    { status: "failed", number: 1 },
    { status: "succeeded", number: 2 },
  ] as never;
  expect(places.finish({ path: "a", output: "Well, well", attempts })).toEqual({ path: "a", attempt: 2, offset: 4, text: ", well" });
  expect(show(2, 4, ",")).toBe("nothing");
  expect(places.finish({ path: "never-seen", output: "text", attempts })).toBeNull();
});
