import { describe, expect, test } from "vitest";
import { EventParser } from "./event-parser.ts";

const STREAM =
  'retry: 1000\n\nid: 1\nevent: step-finished\ndata: {"a":1}\n\n: keep-alive\n\nevent: text-delta\ndata: two\ndata: lines\n\ndata:no space\n\n';
const EVENTS = [
  { id: "1", event: "step-finished", data: '{"a":1}' },
  { id: null, event: "text-delta", data: "two\nlines" },
  { id: null, event: "message", data: "no space" },
];

describe("the parser of event streams", () => {
  test("reads events however the text was cut", () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const parser = new EventParser();
      const events = [];
      for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
      expect(events).toEqual(EVENTS);
    }
  });

  test("takes all three line ends, and a CR LF that was cut in two", () => {
    expect(new EventParser().push(STREAM.replaceAll("\n", "\r\n"))).toEqual(EVENTS);
    expect(new EventParser().push(`${STREAM.replaceAll("\n", "\r")}\n`)).toEqual(EVENTS);
    const parser = new EventParser();
    expect(parser.push("data: x\r")).toEqual([]);
    expect(parser.push("\n\r\n")).toEqual([{ id: null, event: "message", data: "x" }]);
  });

  test("tells no event that is not finished", () => {
    expect(new EventParser().push("id: 1\ndata: x\n")).toEqual([]);
  });
});
