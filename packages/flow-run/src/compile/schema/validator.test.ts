import { FlowRunError, type Json, type JsonSchema } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { toJsonSchema } from "./to-json-schema.ts";
import { createValidators } from "./validator.ts";

const validators = createValidators();

function errorsOf(schema: JsonSchema, value: Json) {
  return validators.validate(schema, value).errors;
}

function messageOf(schema: JsonSchema, value: Json): string {
  const errors = errorsOf(schema, value);
  expect(errors).toHaveLength(1);
  return `${errors[0]!.pointer} ${errors[0]!.message}`.trim();
}

const TRIAGE = toJsonSchema({ "category(enum)": ["billing", "bug", "other"], urgent: "boolean", "questions(array)": "string" });

describe("validate", () => {
  it("returns a valid value itself", () => {
    const value = { category: "bug", urgent: true, questions: [] };
    expect(validators.validate(TRIAGE, value)).toEqual({ value, errors: [] });
    expect(validators.validate(TRIAGE, value).value).toBe(value);
  });
  it("accepts anything for true and {}, and nothing for false", () => {
    expect(errorsOf(true, { a: 1 })).toEqual([]);
    expect(errorsOf({}, null)).toEqual([]);
    expect(errorsOf(false, null)).toEqual([{ pointer: "", message: "must not be there" }]);
  });
  it("reports all mistakes in plain words, with pointers", () => {
    expect(errorsOf(TRIAGE, { category: "bil", urgent: "yes", questions: ["a", 2], extra: 1 })).toEqual([
      { pointer: "/extra", message: 'unknown property "extra"' },
      { pointer: "/category", message: "must be one of billing, bug, other" },
      { pointer: "/urgent", message: "must be true or false, not a string" },
      { pointer: "/questions/1", message: "must be a string, not a number" },
    ]);
  });
  it("never coerces", () => {
    expect(messageOf({ type: "number" }, "1")).toBe("must be a number, not a string");
    expect(messageOf({ type: "array" }, "a")).toBe("must be an array, not a string");
    expect(messageOf({ type: "integer" }, 1.5)).toBe("must be an integer, not the number 1.5");
  });
  it("reports a misspelt property once, not as unknown and missing", () => {
    expect(errorsOf(TRIAGE, { catgory: "bug", urgent: true, questions: [] })).toEqual([
      { pointer: "/catgory", message: 'unknown property "catgory"; did you mean "category"?' },
    ]);
  });
  it("escapes names in pointers", () => {
    expect(errorsOf(toJsonSchema({ "a/b~c": "string" }), { "a/b~c": 1 })).toMatchObject([{ pointer: "/a~1b~0c" }]);
  });
  it.each<[JsonSchema, Json, string]>([
    [{ type: ["string", "null"] }, 1, "must be a string or null, not a number"],
    [{ const: "a" }, "b", "must be a"],
    [{ required: ["a"] }, {}, 'must have the property "a"'],
    [{ minimum: 3 }, 2, "must be at least 3"],
    [{ exclusiveMaximum: 3 }, 3, "must be less than 3"],
    [{ multipleOf: 2 }, 3, "must be a multiple of 2"],
    [{ minLength: 1 }, "", "must have at least 1 character"],
    [{ maxItems: 2 }, [1, 2, 3], "must have at most 2 items"],
    [{ minProperties: 2 }, {}, "must have at least 2 properties"],
    [
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      "must not have equal items",
    ],
    [{ pattern: "^[a-z]+$" }, "A", "must match the pattern ^[a-z]+$"],
    [{ format: "email" }, "a", "must be an email address"],
    [{ format: "date" }, "2026-02-30", "must be a date such as 2026-01-31"],
    [{ format: "regex" }, "(?=a)", "must be of the format regex"],
    [{ not: { type: "null" } }, null, "is a value that the schema excludes"],
    [{ propertyNames: { pattern: "^a" } }, { b: 1 }, 'may not have a property called "b"'],
    [{ anyOf: [{ type: "string" }, { type: "number" }] }, true, "must be a string or a number as the schema says, not true"],
    [{ oneOf: [{ type: "number" }, { minimum: 1 }] }, 3, "must match exactly one of the allowed forms, but matches more"],
  ])("says what is wrong: %j", (schema, value, message) => {
    expect(messageOf(schema, value)).toBe(message);
  });
  it("tells the mistakes inside the one branch that was meant", () => {
    const schema: JsonSchema = {
      anyOf: [{ type: "null" }, { $ref: "#/$defs/Answer" }],
      $defs: { Answer: { type: "object", properties: { score: { type: "number" } }, required: ["score"] } },
    };
    expect(errorsOf(schema, { score: "high" })).toEqual([{ pointer: "/score", message: "must be a number, not a string" }]);
  });
  it("finds the mistakes of a then-branch without the summary", () => {
    const schema = JSON.parse('{"if": {"required": ["a"]}, "then": {"required": ["b"]}}');
    expect(errorsOf(schema, { a: 1 })).toEqual([{ pointer: "", message: 'must have the property "b"' }]);
  });
  it("tells mistakes beside a branch as well", () => {
    const schema: JsonSchema = { anyOf: [{ required: ["a"] }, { required: ["b"] }], properties: { c: { type: "string" } } };
    expect(errorsOf(schema, { c: 1 }).map((error) => error.pointer)).toEqual(["", "/c"]);
  });
  it("follows references into the schema itself, also by its $id", () => {
    const tree: JsonSchema = {
      $id: "https://example.com/tree",
      type: "object",
      properties: { value: { type: "number" }, children: { type: "array", items: { $ref: "https://example.com/tree#" } } },
    };
    expect(errorsOf(tree, { value: 1, children: [{ value: 2, children: [{ value: "3" }] }] })).toEqual([
      { pointer: "/children/0/children/0/value", message: "must be a number, not a string" },
    ]);
  });
  it("takes two schemas of one $id", () => {
    expect(errorsOf({ $id: "https://example.com/same", type: "string" }, 1)).toHaveLength(1);
    expect(errorsOf({ $id: "https://example.com/same", type: "number" }, 1)).toEqual([]);
  });
  it("keeps a property that is called $id", () => {
    const schema: JsonSchema = { type: "object", properties: { $id: { type: "string" } }, additionalProperties: false };
    expect(errorsOf(schema, { $id: "a" })).toEqual([]);
    expect(errorsOf(schema, { $id: 1 })).toHaveLength(1);
  });
  it("chooses the draft by $schema", () => {
    const pair: Json = [{ type: "string" }, { type: "number" }];
    expect(errorsOf({ $schema: "http://json-schema.org/draft-07/schema#", items: pair }, ["a", "b"])).toMatchObject([{ pointer: "/1" }]);
    expect(errorsOf({ $schema: "https://json-schema.org/draft/2019-09/schema", items: pair }, ["a", "b"])).toMatchObject([
      { pointer: "/1" },
    ]);
    expect(errorsOf({ $schema: "https://json-schema.org/draft/2020-12/schema", prefixItems: pair }, ["a", "b"])).toMatchObject([
      { pointer: "/1" },
    ]);
    expect(() => errorsOf({ $schema: "http://json-schema.org/draft-04/schema#" }, 1)).toThrow(/is not supported/);
  });
  it("tells two patterns of one schema apart", () => {
    const schema: JsonSchema = { properties: { a: { pattern: "^a$" }, b: { pattern: "^b$" } } };
    expect(errorsOf(schema, { a: "a", b: "b" })).toEqual([]);
    expect(errorsOf(schema, { a: "b", b: "a" })).toHaveLength(2);
  });
});

describe("defaults", () => {
  const schema: JsonSchema = {
    type: "object",
    properties: {
      tone: { type: "string", default: "kind" },
      options: { type: "object", properties: { n: { type: "number", default: 3 } } },
    },
    required: ["tone"],
    additionalProperties: false,
  };
  it("are filled into a copy, also inside", () => {
    const value = { options: {} };
    expect(validators.validate(schema, value, { defaults: true })).toEqual({ value: { tone: "kind", options: { n: 3 } }, errors: [] });
    expect(value).toEqual({ options: {} });
  });
  it("are left out unless they are asked for", () => {
    expect(errorsOf(schema, {})).toEqual([{ pointer: "", message: 'must have the property "tone"' }]);
  });
  it("do not hide mistakes", () => {
    expect(validators.validate(schema, { options: { n: "x" }, ton: 1 }, { defaults: true }).errors).toEqual([
      { pointer: "/ton", message: 'unknown property "ton"' },
      { pointer: "/options/n", message: "must be a number, not a string" },
    ]);
  });
  it("return the value itself where the schema has none", () => {
    const value = {};
    expect(validators.validate({ type: "object" }, value, { defaults: true }).value).toBe(value);
  });
});

describe("hostile input", () => {
  it("is refused when a key is called __proto__, and pollutes nothing", () => {
    const value = JSON.parse('{"a": {"__proto__": {"admin": true}}}');
    expect(validators.validate({ type: "object", properties: { b: { default: 1 } } }, value, { defaults: true }).errors).toEqual([
      { pointer: "/a/__proto__", message: "a property may not be called __proto__" },
    ]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
  it("is not satisfied by what every object inherits", () => {
    expect(messageOf({ type: "object", required: ["toString"] }, {})).toBe('must have the property "toString"');
    expect(errorsOf({ type: "object", properties: { constructor: { type: "string" } } }, {})).toEqual([]);
    expect(errorsOf({ type: "object", properties: { constructor: { type: "string" } } }, { constructor: 1 })).toHaveLength(1);
  });
  it("is refused when it is nested too deep", () => {
    const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
    expect(errorsOf({}, deep)).toEqual([{ pointer: "", message: "is nested more than 200 deep" }]);
  });
  it("gives few errors for a million mistakes", () => {
    const many = Array.from({ length: 300_000 }, () => 1);
    expect(errorsOf({ type: "array", items: { type: "string" } }, many)).toHaveLength(1);
    expect(errorsOf({ type: "array", items: { type: "string" } }, many.slice(0, 5_000))).toHaveLength(20);
  });
  it("cannot make a pattern take exponential time", () => {
    expect(errorsOf({ pattern: "^(a+)+$" }, `${"a".repeat(5_000)}b`)).toHaveLength(1);
  });
  it("cannot make uniqueItems compare each pair", () => {
    const items = Array.from({ length: 100_000 }, (_, index) => ({ index }));
    expect(errorsOf({ uniqueItems: true }, items)).toEqual([]);
  });
  it("finds a schema that refers to itself without end", () => {
    expect(() => errorsOf({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } }, 1)).toThrow(FlowRunError);
  });
  it("finds a schema that cannot be compiled", () => {
    const broken: JsonSchema = { type: "object", properties: { a: { $ref: "https://example.com/other" } } };
    expect(() => errorsOf(broken, {})).toThrow(expect.objectContaining({ code: "invalid-schema" }));
    expect(() => errorsOf({ required: "a" }, {})).toThrow(expect.objectContaining({ code: "invalid-schema" }));
  });
});
