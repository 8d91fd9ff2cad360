import { describe, expect, test } from "vitest";
import { createRedactor } from "./redactor.ts";

const SECRET = 'p"ss w/rd&1+[x]';

describe("taking secrets out of what comes back", () => {
  const { text, json } = createRedactor([SECRET, "prefix-long", "prefix-"]);

  test.each([
    ["as it is", SECRET],
    ["in another case", SECRET.toUpperCase()],
    ["inside JSON text", JSON.stringify({ a: SECRET })],
    ["encoded as a part of a URL", `?a=${encodeURIComponent(SECRET)}`],
    ["as a URL writes it in its query", new URL(`http://h/?${SECRET}`).search],
    ["as a URL writes it in its path", new URL(`http://h/${SECRET}`).pathname],
  ])("%s", (_how, written) => {
    expect(text(`before ${written} after`)).toMatch(/^before .*\*\*\*.* after$/);
    expect(text(written)).not.toMatch(/p.{1,3}ss/i);
  });

  test("everywhere in a value, keys included, and nothing else is changed", () => {
    const value = { [SECRET]: [SECRET, { deep: `x${SECRET}y` }], n: 1, yes: true, none: null };
    expect(json(value)).toEqual({ "***": ["***", { deep: "x***y" }], n: 1, yes: true, none: null });
  });

  test("the longer of two that begin alike is taken out whole", () => {
    expect(text("prefix-long prefix-short")).toBe("*** ***short");
  });

  test("short ones stay: they occur by chance", () => {
    const short = createRedactor(["a", "12345", ""]);
    expect(short.text("a banana costs 12345")).toBe("a banana costs 12345");
  });
});
