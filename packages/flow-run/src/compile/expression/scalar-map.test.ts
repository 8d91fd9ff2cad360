import { describe, expect, test } from "vitest";
import { isMap, isScalar, parseDocument } from "yaml";
import { scalarMap } from "./scalar-map.ts";

const STYLES: [style: string, text: string][] = [
  ["plain", "k: some text here"],
  ["plain in flow", "{ k: some text, x: 1 }"],
  ["plain over lines", "k: some text\n  goes on\n  here"],
  ["plain over lines with blanks and an empty line", "k: some text  \n\n   goes on\t\n  here"],
  ["single quotes", "k: 'some text'"],
  ["single quotes doubled", "k: 'it''s  ''so'''"],
  ["single quotes over lines", "k: 'some  \n   text\n\n\n   here '"],
  ["double quotes", 'k: "some text"'],
  ["double quotes with escapes", 'k: "a\\tb\\u0041\\x42\\"c\\\\d\\/e\\U0001F600f"'],
  ["double quotes over lines", 'k: "some \n   text\n\n   here"'],
  ["double quotes with a joined line", 'k: "some \\\n   text\\\n   \\ here"'],
  ["double quotes with an escaped blank at the line's end", 'k: "some\\t\n  text"'],
  ["literal block", "k: |\n  some text\n    indented\n\n  here\n"],
  ["literal block, last break stripped", "k: |-\n  some text\n  here\n"],
  ["literal block, last breaks kept", "k: |+\n  some text\n\n\nx: 1"],
  ["literal block with an indentation of its own", "k: |2\n    some\n   text\n"],
  ["folded block", "k: >\n  some text\n  goes on\n\n  here\n"],
  ["folded block with indented lines", "k: >\n  some\n    more\n    more\n  some\n"],
  ["folded block, repeated words", "k: >-\n  a a\n  a\n  a a\n"],
  ["accents and signs beyond", "k: 'é 😀 ü'"],
  ["empty", "k: ''"],
];

function valueNode(text: string) {
  const { contents } = parseDocument(text);
  const node = isMap(contents) ? contents.items[0]?.value : undefined;
  if (!isScalar(node)) throw new Error("no scalar");
  return node;
}

describe.each([
  ["\n", (text: string) => text],
  ["\r\n", (text: string) => text.replaceAll("\n", "\r\n")],
])("with %j as line end", (_name, lines) => {
  test.each(STYLES)("%s: each visible character is where the map says", (_style, written) => {
    const text = lines(written);
    const node = valueNode(text);
    const value = String(node.value);
    const map = scalarMap(node, text);
    expect(map.length).toBe(value.length + 1);
    let found = 0;
    for (let i = 0; i < value.length; i++) {
      if (/\s/.test(value[i]!)) continue;
      const at = text[map[i]!]!;
      // An escape stands where its backslash (or first quote) stands.
      expect(at === "\\" || at === value[i] || value.charCodeAt(i) >= 0xd800).toBe(true);
      if (at === value[i]) found++;
      if (i > 0) expect(map[i]!).toBeGreaterThanOrEqual(map[i - 1]!);
    }
    if (/\S/.test(value)) expect(found).toBeGreaterThan(value.length / 3);
    expect(map[value.length]!).toBeLessThanOrEqual(text.length);
  });
});

test("a scalar that cannot be decoded again is placed at its start", () => {
  const node = valueNode("k: 'abc'");
  node.value = "something else";
  expect(new Set(Array.from(scalarMap(node, "k: 'abc'")))).toEqual(new Set([3]));
});
