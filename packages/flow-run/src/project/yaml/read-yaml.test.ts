import { describe, expect, it } from "vitest";
import { show } from "../__fixtures__/temporary-project.ts";
import type { Findings } from "../findings.ts";
import { readYaml } from "./read-yaml.ts";

function read(text: string, before = "", after = "") {
  const findings: Findings = { diagnostics: [] };
  const file = { path: "f", text: before + text + after };
  const { value, source } = readYaml(file, findings, before.length, before.length + text.length);
  return { value, source, mistakes: findings.diagnostics.map(show) };
}

describe("readYaml", () => {
  it("reads YAML 1.2", () => {
    const { value, mistakes } = read(
      "a: no\nb: 1.50\nc: 2026-01-01\nd: 0x10\ne: ~\nf: [1, {g: true}]\n1: x\ntrue: y\nh: 1_000\ni: 12:30\n",
    );
    expect(mistakes).toEqual([]);
    expect(value).toEqual({
      a: "no",
      b: 1.5,
      c: "2026-01-01",
      d: 16,
      e: null,
      f: [1, { g: true }],
      "1": "x",
      true: "y",
      h: "1_000",
      i: "12:30",
    });
  });
  it("gives null for an empty document", () => {
    expect(read("# nothing\n")).toMatchObject({ value: null, mistakes: [] });
  });
  it("places mistakes in the file when the YAML begins inside of it", () => {
    expect(read("a: 1\na: 2\n", "# licence\n---\n", "---\nbody").mistakes).toEqual([
      'f:4:1-4:2 duplicate-key: the key "a" is given twice [the first is in line 3; remove one]',
    ]);
    expect(read("a: b: c\n", "---\n").mistakes).toEqual([
      'f:2:4-2:5 syntax: a second ": " on one line is not allowed here [write text in single quotes]',
    ]);
  });
});

describe("syntax errors", () => {
  it("are reported once: the others are echoes", () => {
    expect(read('a: "say ${{ f("x") }} and ${{ g("y") }}"\nb: }\nc: [\n').mistakes).toEqual([
      expect.stringMatching(/^f:1:16-.* syntax: .* \[write text in single quotes\]$/),
    ]);
    expect(read("}\n".repeat(1000)).mistakes).toHaveLength(1);
  });
  it.each([
    ["a:\n\tb: 1\n", "f:2:1-2:2 syntax: a tab cannot indent YAML [indent with spaces]"],
    ["a: text: more\n", 'f:1:4-1:5 syntax: a second ": " on one line is not allowed here [write text in single quotes]'],
    ["a: @x\n", "f:1:4-1:5 syntax: text cannot begin with this character [write text in single quotes]"],
    ["a: `x`\n", "f:1:4-1:5 syntax: text cannot begin with this character [write text in single quotes]"],
    ["a: {{ x }}\n", "f:1:5-1:6 syntax: a key must be text [an expression is written '${{ … }}', in quotes]"],
    ["a: 'it's'\n", "f:1:8-1:10 syntax: unexpected scalar at node end [write text in single quotes]"],
    ['a: "open\n', 'f:2:1-2:2 syntax: missing closing "quote [close the quote]'],
    [
      "a: [b,\nc: 2\n",
      "f:2:1-2:2 syntax: flow sequence in block collection must be sufficiently indented and end with a ] [close the bracket with ]]",
    ],
    ["a:\nb\n", 'f:2:1-2:2 syntax: implicit map keys need to be followed by map values [write ": " and a value after the key]'],
    ["steps:\n  - id: a\n   run: b\n", "f:3:1-3:2 syntax: sequence item without - indicator [check the indentation of this line]"],
    ["a: !ref x\n", "f:1:4-1:8 syntax: tags (!name) are not supported [remove the tag, or write text in single quotes]"],
    ["a: *.js\n", "f:1:4-1:8 syntax: there is no anchor &.js before this alias [write text that begins with * in single quotes]"],
    [
      "a: 1\n---\nb: 2\n",
      "f:2:1-2:2 multiple-documents: the file holds more than one YAML document [make a file of each: remove the line ---]",
    ],
    ["%YAML 1.1\na: 1\n", expect.stringContaining("syntax")],
  ])("say what to do: %j", (text, expected) => {
    expect(read(text).mistakes).toEqual([expected]);
    expect(read(text).value).toBeUndefined();
  });
});

describe("values that JSON has not, or that mean something else", () => {
  it.each([
    ["a: .inf", "f:1:4-1:8 not-json: .inf is not a number that JSON can hold [write text in single quotes]"],
    ["a: 1e999", "f:1:4-1:9 not-json: 1e999 is not a number that JSON can hold [write text in single quotes]"],
    ["a: 0123", "f:1:4-1:8 ambiguous-number: 0123 could mean 123 or the text '0123' [write 123, or '0123' in quotes]"],
    [
      "a: 12345678901234567890",
      "f:1:4-1:24 number-too-big: 12345678901234567890 cannot be held exactly [write '12345678901234567890' in quotes to keep all digits]",
    ],
    ["__proto__: { a: 1 }", "f:1:1-1:10 invalid-name: a key may not be called __proto__ [choose another name]"],
  ])("are reported: %s", (text, expected) => {
    expect(read(text)).toMatchObject({ value: undefined, mistakes: [expected] });
  });
  it("are fine in quotes", () => {
    expect(read("a: '0123'\nb: '.inf'").value).toEqual({ a: "0123", b: ".inf" });
  });
  it("report all duplicate keys", () => {
    expect(read("a: 1\nb: { c: 1, c: 2 }\na: 2\na: 3\n").mistakes).toHaveLength(3);
  });
  it("keep keys that are named like members of every object", () => {
    const { value, mistakes } = read("constructor: 1\ntoString: 2\n");
    expect(mistakes).toEqual([]);
    expect(Object.entries(value as object)).toEqual([
      ["constructor", 1],
      ["toString", 2],
    ]);
  });
});

describe("aliases", () => {
  it("repeat a value", () => {
    expect(read("a: &x { k: 1 }\nb: *x\nc: [*x, *x]\n").value).toEqual({ a: { k: 1 }, b: { k: 1 }, c: [{ k: 1 }, { k: 1 }] });
  });
  it("mean the latest anchor of their name", () => {
    expect(read("- &x 1\n- *x\n- &x 2\n- *x\n").value).toEqual([1, 1, 2, 2]);
  });
  it("are refused when they explode, after no more than a moment's work", () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) =>
        `l${level}: &l${level} [${Array(9)
          .fill(level === 0 ? "x" : `*l${level - 1}`)
          .join(", ")}]`,
    );
    expect(read(levels.join("\n"))).toMatchObject({ value: undefined, mistakes: [expect.stringContaining("too-many-values")] });
  });
  it("are refused inside their own anchor and as keys", () => {
    expect(read("a: &a [*a]\n").mistakes).toEqual([expect.stringContaining("stands inside its own anchor")]);
    expect(read("a: &a k\n*a : 1\n").mistakes).toEqual([expect.stringContaining("syntax")]);
  });
});

describe("text made to exhaust us", () => {
  it.each([
    ["brackets", "[".repeat(100_000)],
    ["braces", "{a: ".repeat(100_000)],
    ["dashes", `${"- ".repeat(100_000)}a`],
    ["question marks", "? ".repeat(100_000)],
    ["indentation", Array.from({ length: 1_000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ])("is refused when it nests too deep: %s", (_, text) => {
    expect(read(text)).toMatchObject({ value: undefined, mistakes: [expect.stringContaining("too-deep")] });
  });
  it.each([
    ["items", `[${"1,".repeat(500_000)}]`],
    ["errors", "}\n".repeat(300_000)],
    ["documents", "---\n".repeat(260_000)],
    ["comments", "#\n".repeat(500_000)],
  ])("is refused when it has too many parts: %s", (_, text) => {
    expect(read(text)).toMatchObject({ value: undefined, mistakes: [expect.stringMatching(/file-too-large|syntax|multiple-documents/)] });
  });
  it("is read when it is merely large", () => {
    expect(read(`a: |\n${"  line\n".repeat(100_000)}`).value).toMatchObject({ a: expect.stringContaining("line\nline") });
  });
  it("is read at ninety levels", () => {
    expect(read(`${"[".repeat(90)}${"]".repeat(90)}`).mistakes).toEqual([]);
  });
});
