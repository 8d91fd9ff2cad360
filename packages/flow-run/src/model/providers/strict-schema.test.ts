import { expect, it } from "vitest";
import { followsStrictRules } from "./strict-schema.ts";

const closed = {
  type: "object",
  properties: { a: { type: "string" }, b: { type: "array", items: { type: "integer" } } },
  required: ["a", "b"],
  additionalProperties: false,
};

it("takes closed objects with every property required, however deep", () => {
  expect(followsStrictRules(closed)).toBe(true);
  expect(followsStrictRules({ ...closed, properties: { a: closed, b: { anyOf: [{ type: "null" }, { enum: ["x"] }] } } })).toBe(true);
});

it.each([
  ["an optional property", { ...closed, required: ["a"] }],
  ["an open object", { ...closed, additionalProperties: true }],
  ["an object that does not say whether it is open", { type: "object", properties: {} }],
  ["an open object inside", { ...closed, properties: { a: { type: "object" }, b: {} } }],
  ["a keyword that not every model takes", { ...closed, properties: { ...closed.properties, a: { type: "string", minLength: 1 } } }],
  ["anything goes", { ...closed, properties: { ...closed.properties, a: {} } }],
  ["true", true],
])("does not take %s", (_, schema) => {
  expect(followsStrictRules(schema)).toBe(false);
});
