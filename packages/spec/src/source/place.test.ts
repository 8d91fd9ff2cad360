import { describe, expect, it } from "vitest";
import { LineCounter, parseDocument } from "yaml";
import type { YamlSource } from "./definition.ts";
import { offsetPlace, placeAt, rangeOf } from "./place.ts";

function sourceOf(text: string, before = ""): YamlSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  return { file: { path: "flows/a.yaml", text: before + text }, document, lineCounter, start: before.length };
}

const FLOW = "steps:\n  - id: one\n    with: { ticket: 'x' }\n  - id: two\noutput:\n";

describe("offsetPlace", () => {
  it("counts lines and columns from 1", () => {
    expect(offsetPlace("ab\ncd", 0)).toEqual({ line: 1, column: 1 });
    expect(offsetPlace("ab\ncd", 4)).toEqual({ line: 2, column: 2 });
  });
  it("counts a line break to the line that it ends, with CRLF too", () => {
    expect(offsetPlace("ab\r\ncd", 3)).toEqual({ line: 1, column: 4 });
    expect(offsetPlace("ab\r\ncd", 4)).toEqual({ line: 2, column: 1 });
  });
  it("gives the end for an offset past the end", () => {
    expect(offsetPlace("ab\n", 99)).toEqual({ line: 2, column: 1 });
  });
});

describe("placeAt", () => {
  it("counts the lines before the YAML text", () => {
    expect(placeAt(sourceOf("a: 1\nb: 2\n", "# licence\n---\n"), 8)).toEqual({ line: 4, column: 4 });
  });
  it("stands at the first character of an empty document", () => {
    expect(placeAt(sourceOf(""), 0)).toEqual({ line: 1, column: 1 });
  });
});

describe("rangeOf", () => {
  const source = sourceOf(FLOW);
  it("gives the value's range", () => {
    expect(rangeOf(source, ["steps", 0, "id"])).toEqual({ line: 2, column: 9, endLine: 2, endColumn: 12 });
  });
  it("gives the key's range", () => {
    expect(rangeOf(source, ["steps", 0, "id"], "key")).toEqual({ line: 2, column: 5, endLine: 2, endColumn: 7 });
  });
  it("ends a block collection at its last character, not at the next line", () => {
    expect(rangeOf(source, ["steps", 0])).toEqual({ line: 2, column: 5, endLine: 3, endColumn: 26 });
  });
  it("gives the key for an empty value", () => {
    expect(rangeOf(source, ["output"])).toEqual({ line: 5, column: 1, endLine: 5, endColumn: 7 });
  });
  it("gives the nearest ancestor's key for a path that does not exist", () => {
    expect(rangeOf(source, ["steps", 0, "with", "tone", "deep"])).toEqual({ line: 3, column: 5, endLine: 3, endColumn: 9 });
  });
  it("gives the first line of a list item that lacks a key", () => {
    expect(rangeOf(source, ["steps", 0, "run"])).toEqual({ line: 2, column: 5, endLine: 2, endColumn: 12 });
  });
  it("gives the first line for a key missing at the top", () => {
    expect(rangeOf(source, ["name"])).toEqual({ line: 1, column: 1, endLine: 1, endColumn: 7 });
  });
  it("follows an alias to where its content stands", () => {
    const aliased = sourceOf("a: &x\n  k: 1\nb: *x\n");
    expect(rangeOf(aliased, ["b", "k"])).toEqual({ line: 2, column: 6, endLine: 2, endColumn: 7 });
    expect(rangeOf(aliased, ["b"])).toEqual({ line: 3, column: 4, endLine: 3, endColumn: 6 });
  });
  it("finds keys that are numbers or named like object members", () => {
    const odd = sourceOf("1: a\n__proto__: b\n");
    expect(rangeOf(odd, ["1"]).line).toBe(1);
    expect(rangeOf(odd, ["__proto__"]).line).toBe(2);
    expect(rangeOf(odd, ["toString"])).toEqual({ line: 1, column: 1, endLine: 1, endColumn: 5 });
  });
});
