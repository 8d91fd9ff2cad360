import type { JsonSchema } from "@flow-run/spec";
import fc from "fast-check";
import { expect, test } from "vitest";
import { joinable, joinTypes } from "./join-types.ts";
import { mismatches } from "./mismatches.ts";
import { schemaType } from "./schema-type.ts";
import { showType } from "./show-type.ts";
import type { Field, Type } from "./type.ts";
import { nullable } from "./type-view.ts";

const scalar = fc.constantFrom<Type>(
  { kind: "any" },
  { kind: "null" },
  { kind: "bool" },
  { kind: "integer" },
  { kind: "number" },
  { kind: "timestamp" },
  { kind: "string" },
  { kind: "string", values: ["a"] },
  { kind: "string", values: ["a", "b"] },
  { kind: "string", values: ["b", "c"] },
);
const { type: types } = fc.letrec<{ type: Type }>((tie) => {
  const type = tie("type");
  const field: fc.Arbitrary<Field> = fc.record({ type, optional: fc.boolean() });
  const fields = fc.dictionary(fc.constantFrom("x", "y", "z", "__proto__"), field, { maxKeys: 3 });
  return {
    type: fc.oneof(
      { maxDepth: 3, depthSize: "small", withCrossShrink: true },
      scalar,
      type.map((element): Type => ({ kind: "list", element })),
      type.map(nullable),
      fc
        .tuple(fields, fc.oneof(fc.constantFrom("closed" as const, "undeclared" as const), type))
        .map(([all, rest]): Type => ({ kind: "object", fields: new Map(Object.entries(all)), rest })),
    ),
  };
});

test("a value of a type fits that type", () => {
  fc.assert(fc.property(types, (type) => void expect(mismatches(type, structuredClone(type))).toEqual([])));
});

test("joining is the same from either side, and both fit the join", () => {
  fc.assert(
    fc.property(types, types, (a, b) => {
      const joined = joinTypes(a, b);
      expect(joinTypes(b, a)).toEqual(joined);
      expect(joinable(a, b)).toBe(joinable(b, a));
      expect(mismatches(a, joined)).toEqual([]);
      expect(mismatches(b, joined)).toEqual([]);
    }),
  );
});

test("types that hold themselves are shown, compared and joined in bounded time", () => {
  const node = (name: string): JsonSchema => ({
    $ref: "#/$defs/node",
    $defs: {
      node: { type: "object", properties: { [name]: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/node" } } } },
    },
  });
  const [a, b] = [schemaType(node("name"), "read"), schemaType(node("title"), "read")];
  expect(mismatches(a, a)).toEqual([]);
  expect(mismatches(a, schemaType(node("name"), "read"))).toEqual([]);
  expect(showType(a)).toBe("{ name?: string, children?: list<…> }");
  const joined = joinTypes(a, b);
  expect(mismatches(a, joined)).toEqual([]);
  expect(mismatches(b, joined)).toEqual([]);
  const endless = schemaType({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } }, "read");
  expect(mismatches(endless, { kind: "string" })).toEqual([]);
});
