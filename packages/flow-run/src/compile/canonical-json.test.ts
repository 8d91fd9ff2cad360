import { FlowRunError } from "@flow-run/spec";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

test("it is what RFC 8785 says, for any JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
      expect(canonicalJson(value)).toBe(canonicalize(value));
    }),
    { numRuns: 2_000 },
  );
});

test("keys that look like numbers or prototypes are sorted as text and kept", () => {
  const value = JSON.parse('{"b": 1, "10": 2, "9": 3, "__proto__": {"z": 1, "a": 2}, "constructor": 4, "Ä": 5}') as object;
  expect(JSON.parse(canonicalJson(value))).toEqual(value);
  expect(canonicalJson({ b: undefined, a: [undefined, 1] })).toBe('{"a":[null,1]}');
});

test("half a surrogate pair is escaped, nesting without end refused", () => {
  expect(canonicalJson("\ud800")).toBe('"\\ud800"');
  let deep: unknown = 1;
  for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
  expect(() => canonicalJson(deep)).toThrow(FlowRunError);
});
