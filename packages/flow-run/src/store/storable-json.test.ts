import type { Json } from "@flow-run/spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isStorable, storableText, storeJson } from "./storable-json.ts";

/** As the database's JSON functions see it. */
const clean = (value: Json): string =>
  JSON.stringify(value, (_, entry) =>
    entry !== null && typeof entry === "object" && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).map(([key, inner]) => [key.replaceAll("\u0000", "\uFFFD").toWellFormed(), inner]))
      : typeof entry === "string"
        ? entry.replaceAll("\u0000", "\uFFFD").toWellFormed()
        : entry,
  );

/** Text with all the trouble there is. */
const text = fc.string({ unit: fc.constantFrom("\u0000", "\ud800", "\udc00", "😀", "\\", "u0000", "\\ud800", "a", '"', "\u0001") });
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.constantFrom<Json[]>(null, true, 1.5),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

describe("JSON for a column", () => {
  it("replaces what a database refuses, in texts and keys at any depth, and nothing else", () => {
    fc.assert(
      fc.property(json, (value) => {
        const stored = storeJson(value);
        expect(stored).toBe(value === null ? null : clean(value));
      }),
    );
  });

  it("is stored as it is exactly when nothing had to be replaced", () => {
    fc.assert(fc.property(json, (value) => isStorable(value) === (JSON.stringify(value) === clean(value))));
  });

  it("keeps a key named __proto__", () => {
    const value = JSON.parse('{"__proto__":{"a":"\\u0000"}}') as Json;
    expect(storeJson(value)).toBe('{"__proto__":{"a":"\uFFFD"}}');
  });

  it("cleans text columns, and leaves null alone", () => {
    expect(storableText("a\u0000b")).toBe("a\uFFFDb");
    expect(storableText("plain")).toBe("plain");
    expect(storableText(null)).toBeNull();
  });
});
