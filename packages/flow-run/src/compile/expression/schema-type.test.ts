import type { JsonSchema } from "@flow-run/spec";
import { describe, expect, test } from "vitest";
import { type SchemaMode, schemaType } from "./schema-type.ts";
import { showType } from "./show-type.ts";
import { typeSchema } from "./type-schema.ts";

const show = (schema: JsonSchema, mode: SchemaMode = "read") => showType(schemaType(schema, mode));
const object = (properties: { [name: string]: JsonSchema }, more: object = {}): JsonSchema =>
  ({ type: "object", properties, ...more }) as JsonSchema;

describe("a JSON Schema becomes a type", () => {
  test.each<[JsonSchema, string]>([
    [{ type: "string", format: "email", minLength: 3 }, "string"],
    [{ type: "boolean" }, "bool"],
    [{ type: "null" }, "null"],
    [{ type: "integer", minimum: 0 }, "integer"],
    [{ type: "number" }, "number"],
    [{ enum: ["b", "a"] }, '"a" | "b"'],
    [{ type: "string", enum: ["a", null] }, '"a" | null'],
    [{ const: "a" }, '"a"'],
    [{ const: null }, "null"],
    [{ enum: [1, 2] }, "integer"],
    [{ enum: [1, "a"] }, "any"],
    [{ type: "array", items: { type: "string" } }, "list<string>"],
    [{ type: "array" }, "list<any>"],
    [{ type: "array", prefixItems: [{ type: "string" }] }, "list<any>"],
    [{ items: { type: "string" } }, "list<string>"],
    [object({ a: { type: "string" }, b: { type: "integer" } }, { required: ["a"] }), "{ a: string, b?: integer }"],
    [{ properties: { a: { type: "string" } } }, "{ a?: string }"],
    [object({ a: true }, { additionalProperties: { type: "string" }, required: ["a"] }), "{ a: any, *: string }"],
    [{ type: "object", additionalProperties: { type: "string" } }, "map<string>"],
    [{ type: "object" }, "map<any>"],
    [{ type: "object", additionalProperties: true }, "map<any>"],
    [{ type: "object", additionalProperties: false }, "{}"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ type: ["string", "number"] }, "any"],
    [{ anyOf: [{ type: "string" }, { type: "null" }] }, "string | null"],
    [{ anyOf: [{ type: "integer" }, { type: "number" }] }, "number"],
    [{ oneOf: [{ const: "a" }, { const: "b" }] }, '"a" | "b"'],
    [{ anyOf: [object({ a: true }), object({ b: true })] }, "any"],
    [{ anyOf: [object({ a: { type: "string" } }), { type: "null" }] }, "{ a?: string } | null"],
    [{ allOf: [object({ a: { type: "string" } }), object({ b: { type: "string" } }, { required: ["a"] })] }, "{ a: string, b?: string }"],
    [{ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }, "string"],
    [{ $ref: "#/$defs/a~1b%20c", $defs: { "a/b c": { type: "string" } } }, "string"],
    [{ $ref: "https://example.com/x" }, "any"],
    [{ $ref: "#/$defs/none" }, "any"],
    [{ type: "any" }, "any"],
    [{}, "any"],
    [true, "any"],
  ])("%j is %s", (schema, type) => {
    expect(show(schema)).toBe(type);
  });

  test("a field with a default is there when it is read and may be left out when it is written", () => {
    const schema = object({ a: { type: "string", default: "x" }, b: { type: "string", default: "x" } }, { required: ["a"] });
    expect(show(schema, "read")).toBe("{ a: string, b: string }");
    expect(show(schema, "write")).toBe("{ a?: string, b?: string }");
  });
});

test("a type becomes a JSON Schema of the same type", () => {
  const schemas: JsonSchema[] = [
    object({ a: { type: ["string", "null"] }, b: { type: "array", items: { type: "number" } } }, { required: ["a"] }),
    { type: "object", additionalProperties: { type: "string" } },
    { type: "string", enum: ["a", "b"] },
    object({}, { additionalProperties: false }),
    object({ a: {} }),
    { anyOf: [{ $ref: "#/$defs/type1" }, { type: "null" }], $defs: { type1: object({ next: { $ref: "#/$defs/type1" } }) } },
  ];
  for (const schema of schemas) expect(typeSchema(schemaType(schema, "read"))).toEqual(schema);
});
