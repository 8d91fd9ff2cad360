import type { RunEvent } from "@flow-run/spec";
import { expect, test } from "vitest";
import { TextPlaces } from "./text-places.ts";

const text = (attempt: number, offset: number, said: string): RunEvent => ({
  type: "text-delta",
  path: "draft",
  attempt,
  offset,
  text: said,
});

test("text that a new connection tells again is read once, and a later attempt begins anew", () => {
  const places = new TextPlaces();
  const told = [
    text(1, 0, "Hel"),
    text(1, 0, "Hello"),
    text(1, 2, "llo"),
    text(1, 5, " you"),
    text(2, 0, "Good"),
    { type: "text-restarted", path: "draft", attempt: 2 } as const,
    text(1, 9, " late"),
    { type: "text-restarted", path: "draft", attempt: 3 } as const,
    text(3, 0, "Fine"),
  ];
  expect(told.flatMap((event) => [...places.unread(event)])).toEqual([
    text(1, 0, "Hel"),
    text(1, 3, "lo"),
    text(1, 5, " you"),
    { type: "text-restarted", path: "draft", attempt: 2 },
    text(2, 0, "Good"),
    { type: "text-restarted", path: "draft", attempt: 3 },
    text(3, 0, "Fine"),
  ]);
});
