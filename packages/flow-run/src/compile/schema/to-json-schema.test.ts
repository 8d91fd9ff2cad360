import type { Json } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { PICOSCHEMA_CASES } from "./__fixtures__/picoschema-cases.ts";
import { SchemaNotationError } from "./schema-notation-error.ts";
import { readSchemaNotation, toJsonSchema } from "./to-json-schema.ts";

describe("the Dotprompt specification's cases", () => {
  it("are all here", () => {
    expect(PICOSCHEMA_CASES).toHaveLength(21);
    expect(PICOSCHEMA_CASES.filter((example) => example.named)).toHaveLength(2);
  });
  for (const { name, notation, expected } of PICOSCHEMA_CASES.filter((example) => !example.named)) {
    it(`turn ${name} into the expected schema`, () => {
      expect(toJsonSchema(notation)).toEqual(expected);
    });
  }
  for (const { name, notation } of PICOSCHEMA_CASES.filter((example) => example.named)) {
    it(`are refused where they need named schemas: ${name}`, () => {
      expect(() => toJsonSchema(notation)).toThrow(/schemas with names of their own are not supported/);
    });
  }
});

function problemsOf(notation: Json) {
  return readSchemaNotation(notation).problems;
}

describe("Picoschema beyond the cases", () => {
  it("accepts anything for any", () => {
    expect(toJsonSchema("any")).toEqual({});
    expect(toJsonSchema("any, whatever")).toEqual({ description: "whatever" });
    expect(toJsonSchema({ type: "any" })).toEqual({});
  });
  it("accepts no field at all for an empty map", () => {
    expect(toJsonSchema({})).toEqual({ type: "object", properties: {}, additionalProperties: false });
  });
  it("keeps parentheses and commas in a description", () => {
    expect(toJsonSchema({ "tags(array, a list (short), really)": "string" })).toEqual({
      type: "object",
      properties: { tags: { type: "array", items: { type: "string" }, description: "a list (short), really" } },
      required: ["tags"],
      additionalProperties: false,
    });
  });
  it("leaves the notation untouched when it adds null to an optional enum", () => {
    const notation = { "color?(enum)": ["RED"] };
    toJsonSchema(notation);
    expect(notation).toEqual({ "color?(enum)": ["RED"] });
  });
  it("declares fields that are named like members of every object", () => {
    expect(toJsonSchema({ constructor: "string", toString: "number" })).toMatchObject({
      properties: { constructor: { type: "string" }, toString: { type: "number" } },
      required: ["constructor", "toString"],
    });
  });
  it("reports all problems at once, each with its path as written", () => {
    expect(problemsOf({ a: "strng", "b(array)": { c: "Foo" }, "d(enm)": ["x"], "e(enum)": "x", f: null, g: ["x"], h: 3 })).toEqual([
      { path: ["a"], message: expect.stringContaining('unknown type "strng"'), hint: 'did you mean "string"?' },
      { path: ["b(array)", "c"], message: expect.stringContaining('unknown type "Foo"'), hint: expect.stringContaining("the types are") },
      { path: ["d(enm)"], message: 'unknown type "enm" in parentheses', hint: 'did you mean "enum"?' },
      { path: ["e(enum)"], message: "an enum needs a list of its values", hint: "write e(enum): [a, b]" },
      { path: ["f"], message: "a type is missing", hint: expect.stringContaining("string") },
      { path: ["g"], message: "a list is not a type", hint: expect.stringContaining("(enum)") },
      { path: ["h"], message: "3 is not a type", hint: expect.any(String) },
    ]);
  });
  it("refuses fields without a name, declared twice or called __proto__", () => {
    const notation = JSON.parse('{"?": "string", "a": "string", "a?": "string", "__proto__": "string", "b(array": "string"}');
    expect(problemsOf(notation).map((problem) => [problem.path, problem.message])).toEqual([
      [["?"], 'the field "?" has no name'],
      [["a?"], 'the field "a" is declared twice'],
      [["__proto__"], "a field may not be called __proto__"],
      [["b(array"], '")" is missing in "b(array"'],
    ]);
    expect(Object.getPrototypeOf((readSchemaNotation(notation).schema as { properties: object }).properties)).toBe(Object.prototype);
  });
  it("refuses nesting that is too deep instead of overflowing", () => {
    let notation: Json = "string";
    for (let depth = 0; depth < 5_000; depth += 1) notation = { a: notation };
    expect(problemsOf(notation)).toMatchObject([{ message: "a schema may be nested at most 50 deep" }]);
  });
  it("throws one error with every problem", () => {
    const caught = (() => {
      try {
        return toJsonSchema({ a: "strng", b: "nmber" });
      } catch (error) {
        return error;
      }
    })();
    expect(caught).toBeInstanceOf(SchemaNotationError);
    expect(caught).toMatchObject({ path: ["a"], hint: 'did you mean "string"?', problems: [{ path: ["a"] }, { path: ["b"] }] });
  });
});

describe("JSON Schema", () => {
  it("is returned as written", () => {
    const schema = { type: "object", properties: { a: { $ref: "#/$defs/A" } }, $defs: { A: { type: "string", pattern: "^a+$" } } };
    expect(toJsonSchema(schema)).toBe(schema);
    expect(toJsonSchema(true)).toBe(true);
  });
  it("is recognised by what Picoschema cannot mean", () => {
    const notations: Json[] = [
      { anyOf: [{ type: "string" }] },
      { enum: ["a", "b"] },
      { type: ["string", "null"] },
      { $schema: "http://json-schema.org/draft-07/schema#", const: 1 },
    ];
    for (const notation of notations) {
      expect(toJsonSchema(notation)).toEqual(notation);
    }
  });
  it("leaves fields called enum, items or format to Picoschema", () => {
    expect(toJsonSchema({ enum: "string", items: "string", format: "string" })).toMatchObject({ required: ["enum", "items", "format"] });
  });
  it("reports misspelt keywords and types with a suggestion, deep inside too", () => {
    expect(
      problemsOf({ type: "object", propertes: {}, properties: { a: { type: "strin" }, b: { type: "array", items: { minLenght: 1 } } } }),
    ).toEqual([
      { path: ["propertes"], message: '"propertes" is not a keyword of JSON Schema', hint: 'did you mean "properties"?' },
      { path: ["properties", "a", "type"], message: 'unknown type "strin"', hint: 'did you mean "string"?' },
      {
        path: ["properties", "b", "items", "minLenght"],
        message: '"minLenght" is not a keyword of JSON Schema',
        hint: 'did you mean "minLength"?',
      },
    ]);
  });
  it("says why a field called type does not work in Picoschema", () => {
    expect(problemsOf({ type: "string", name: "string, a name" })).toMatchObject([
      { path: ["name"], message: expect.stringContaining("makes this JSON Schema"), hint: expect.stringContaining("called type") },
    ]);
  });
  it("reports a Picoschema type where a schema must stand", () => {
    expect(problemsOf({ type: "object", properties: { a: "string, the a" } })).toMatchObject([
      { path: ["properties", "a"], hint: "inside JSON Schema write { type: string }" },
    ]);
  });
  it("reports values of the wrong shape", () => {
    expect(
      problemsOf({ type: "object", required: "a", minLength: -1, uniqueItems: "yes", properties: [], anyOf: [] }).map((one) => one.path),
    ).toEqual([["required"], ["minLength"], ["uniqueItems"], ["properties"], ["anyOf"]]);
  });
  it("reports patterns that a linear-time engine cannot run", () => {
    expect(problemsOf({ type: "string", pattern: "(?=a)b" })).toMatchObject([{ path: ["pattern"], hint: expect.stringContaining("RE2") }]);
    expect(problemsOf({ type: "object", patternProperties: { "[": {} } })).toMatchObject([{ path: ["patternProperties", "["] }]);
  });
  it("reports references that lead out of the schema or to nothing", () => {
    const problems = problemsOf({
      $defs: { Answer: {} },
      type: "object",
      properties: { a: { $ref: "https://example.com/s.json" }, b: { $ref: "#/$defs/Anser" } },
    });
    expect(problems).toMatchObject([
      { path: ["properties", "a", "$ref"], message: expect.stringContaining("leads out of this schema") },
      { path: ["properties", "b", "$ref"], hint: 'did you mean "#/$defs/Answer"?' },
    ]);
  });
  it("keeps unknown keywords that look like nothing else, as JSON Schema says", () => {
    expect(problemsOf({ type: "string", "x-order": 3, widget: { kind: "area" } })).toEqual([]);
  });
  it("refuses a property called __proto__", () => {
    expect(problemsOf(JSON.parse('{"type": "object", "properties": {"__proto__": {"type": "string"}}}'))).toMatchObject([
      { path: ["properties", "__proto__"] },
    ]);
  });
  it("refuses schemas that are too deep or too large", () => {
    let deep: Json = {};
    for (let depth = 0; depth < 5_000; depth += 1) deep = { not: deep };
    expect(problemsOf({ type: "object", not: deep })).toMatchObject([{ message: "a schema may be nested at most 100 deep" }]);
    const properties = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`p${index}`, {}]));
    expect(problemsOf({ type: "object", properties })).toEqual([{ path: [], message: "the schema has more than 20000 parts" }]);
  });
});

describe("drafts", () => {
  it("are refused when they are unknown", () => {
    expect(problemsOf({ $schema: "http://json-schema.org/draft-04/schema#", type: "object" })).toMatchObject([{ path: ["$schema"] }]);
    expect(problemsOf({ $schema: "http://json-schema.org/draft-06/schema#", type: "object" })).toEqual([]);
  });
  it("decide whether items may be a list", () => {
    expect(problemsOf({ type: "array", items: [{}] })).toMatchObject([{ path: ["items"], hint: expect.stringContaining("prefixItems") }]);
    expect(problemsOf({ $schema: "http://json-schema.org/draft-07/schema#", type: "array", items: [{}] })).toEqual([]);
  });
});
