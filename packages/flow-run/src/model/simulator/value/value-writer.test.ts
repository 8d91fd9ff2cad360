import type { Json, JsonSchema } from "@flow-run/spec";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createValueWriter, NoValueError } from "./index.ts";

const ajv = new Ajv2020({ strict: false, logger: false });
(addFormats as unknown as typeof addFormats.default)(ajv);

function mistakesIn(schema: JsonSchema, value: Json): string {
  const validate = ajv.compile(schema);
  return validate(value) ? "" : `${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`;
}

const writer = createValueWriter();
const write = (schema: JsonSchema, prompt = "I was charged twice", seed = "1") => writer.write(schema, prompt, seed);

const name = fc.oneof(
  fc.constantFrom("score", "reason", "email", "category", "items", "orderId", "questions", "constructor", "__proto__", "title", "at"),
  fc.stringMatching(/^[a-z][a-zA-Z_]{0,8}$/),
);

/** What Picoschema turns into: scalars that may be null, enums, lists, closed objects, objects with any keys. */
const picoschema: fc.Arbitrary<JsonSchema> = fc.letrec<{ schema: JsonSchema; object: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("boolean", "integer", "number", "string", "null").map((type) => ({ type })),
    fc.constantFrom("boolean", "integer", "number", "string").map((type) => ({ type: [type, "null"] })),
    fc.constant({}),
    fc
      .uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1, maxLength: 4 })
      .map((values) => ({ enum: values })),
    fc.tuple(tie("schema"), fc.boolean()).map(([items, optional]) => ({ type: optional ? ["array", "null"] : "array", items })),
    tie("object"),
  ),
  object: fc
    .tuple(
      fc.uniqueArray(fc.tuple(name, tie("schema"), fc.boolean()), { maxLength: 5, selector: ([key]) => key }),
      fc.option(tie("schema"), { nil: undefined }),
      fc.boolean(),
    )
    .map(([properties, others, optional]) => ({
      type: optional ? ["object", "null"] : "object",
      properties: Object.fromEntries(properties.map(([key, schema]) => [key, schema])),
      required: properties.filter(([, , needed]) => needed).map(([key]) => key),
      additionalProperties: others ?? false,
    })),
})).object as fc.Arbitrary<JsonSchema>;

/** Bounded scalars, formats, tuples, unions: what authors write as JSON Schema. */
const jsonSchema: fc.Arbitrary<JsonSchema> = fc.letrec<{ schema: JsonSchema }>((tie) => {
  const range = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.nat({ max: 60 })).map(([least, width]) => [least, least + width] as const);
  const lengths = fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 })).map(([least, more]) => [least, least + more] as const);
  return {
    schema: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      range.map(([minimum, maximum]) => ({ type: "integer", minimum, maximum })),
      range.map(([minimum, maximum]) => ({ type: "number", exclusiveMinimum: minimum, exclusiveMaximum: maximum + 0.5 })),
      fc.integer({ min: -1e9, max: 1e9 }).map((minimum) => ({ type: "number", minimum })),
      fc.integer({ min: -1e9, max: 1e9 }).map((maximum) => ({ type: "integer", maximum })),
      fc.constantFrom(3, 0.5, 0.1, 0.01, 7).map((multipleOf) => ({ type: "number", multipleOf, minimum: 0, maximum: 1000 })),
      lengths.map(([minLength, maxLength]) => ({ type: "string", minLength, maxLength })),
      fc
        .constantFrom("date-time", "date", "time", "email", "uri", "uuid", "ipv4", "ipv6", "hostname", "duration", "regex")
        .map((format) => ({ type: "string", format })),
      fc.constantFrom("^[A-Z]{3}-\\d{4}$", "^(yes|no)$", "^\\+\\d{6,12}$", "^[a-f0-9]{8}$").map((pattern) => ({ type: "string", pattern })),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()).map((value) => ({ const: value })),
      fc.tuple(tie("schema"), lengths).map(([items, [minItems, maxItems]]) => ({ type: "array", items, minItems, maxItems })),
      fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((prefixItems) => ({ type: "array", prefixItems, items: false })),
      fc.constant({ type: "array", items: { type: "integer", minimum: 1, maximum: 9 }, uniqueItems: true, minItems: 5 }),
      fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
      fc.array(fc.tuple(name, tie("schema")), { minLength: 1, maxLength: 3 }).map((parts) => ({
        allOf: parts.map(([key, schema], index) => ({
          type: "object",
          properties: { [`${key}${index}`]: schema },
          required: [`${key}${index}`],
        })),
      })),
      fc
        .tuple(tie("schema"), tie("schema"))
        .map(([first, second]) => ({ type: "object", properties: { first, second }, required: ["second"] })),
    ),
  };
}).schema as fc.Arbitrary<JsonSchema>;

describe("values for schemas", () => {
  test("every value for a schema that Picoschema makes is valid", async () => {
    await fc.assert(
      fc.asyncProperty(picoschema, fc.string(), fc.string(), async (schema, prompt, seed) => {
        expect(mistakesIn(schema, await writer.write(schema, prompt, seed))).toBe("");
      }),
      { numRuns: 250 },
    );
  });

  test("every value for bounded, patterned and combined schemas is valid", async () => {
    await fc.assert(
      fc.asyncProperty(jsonSchema, fc.string(), async (schema, seed) => {
        expect(mistakesIn(schema, await writer.write(schema, "a prompt", seed))).toBe("");
      }),
      { numRuns: 250 },
    );
  });

  test("the same schema, prompt and seed give the same value from any writer", async () => {
    await fc.assert(
      fc.asyncProperty(picoschema, fc.string(), fc.string(), async (schema, prompt, seed) => {
        expect(await createValueWriter().write(schema, prompt, seed)).toEqual(await writer.write(schema, prompt, seed));
      }),
    );
  });

  test("another seed gives another value", async () => {
    const schema = { type: "object", properties: { reason: { type: "string" }, score: { type: "number" }, email: { type: "string" } } };
    const values = await Promise.all(["1", "2", "3", "4", "5"].map((seed) => write(schema, "hello", seed)));
    expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(5);
  });

  test("optional properties are present and what may be null is not", async () => {
    const schema = {
      type: "object",
      properties: { note: { type: ["string", "null"] }, kind: { enum: ["a", null] } },
      additionalProperties: false,
    };
    for (const seed of ["1", "2", "3", "4"]) {
      expect(await write(schema, "", seed)).toEqual({ note: expect.any(String), kind: "a" });
    }
  });

  test("lists have one to three items unless the schema says otherwise", async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { length } = (await write({ type: "array", items: { type: "string" } }, "", String(seed))) as Json[];
      expect(length).toBeGreaterThanOrEqual(1);
      expect(length).toBeLessThanOrEqual(3);
    }
    expect(await write({ type: "array", items: { type: "integer" }, minItems: 7 })).toHaveLength(7);
  });

  test("names of properties say what stands in them", async () => {
    const text = { type: "string" };
    const properties = {
      score: { type: "number" },
      confidence: { type: "number" },
      reason: text,
      email: text,
      url: text,
      dueDate: text,
      order_id: text,
    };
    const value = await write({ type: "object", properties }, "I was charged twice for order 1234");
    expect(value).toEqual({
      score: expect.toSatisfy((score: number) => score >= 0 && score <= 10),
      confidence: expect.toSatisfy((confidence: number) => confidence >= 0 && confidence <= 1),
      reason: expect.stringContaining("I was charged twice for order 1234"),
      email: expect.stringMatching(/^[a-z]+@example\.(com|org|net)$/),
      url: expect.stringMatching(/^https:\/\//),
      dueDate: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      order_id: expect.stringMatching(/^[A-Z]-\d{4}$/),
    });
  });

  test("of the choices of an enum, the only one that the prompt names is taken", async () => {
    const schema = { enum: ["billing", "bug", "other"] };
    for (const seed of ["1", "2", "3", "4", "5", "6"]) expect(await write(schema, "A Billing question", seed)).toBe("billing");
    const undecided = await Promise.all(
      ["1", "2", "3", "4", "5", "6", "7", "8"].map((seed) => write(schema, "billing, bug or other?", seed)),
    );
    expect(new Set(undecided).size).toBeGreaterThan(1);
  });

  test("bounds that stand only in the description are kept", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const moved = { type: "number", description: "How good it is.\nminimum: 0; maximum: 1." };
      expect(await write(moved, "", String(seed))).toSatisfy((value: number) => value >= 0 && value <= 1);
      const told = { type: "integer", description: "stars, from 1 to 5" };
      expect(await write(told, "", String(seed))).toSatisfy((value: number) => value >= 1 && value <= 5);
    }
    expect(await write({ type: "array", items: { type: "string" }, description: "min items: 6; max items: 6." })).toHaveLength(6);
    expect(await write({ type: "string", description: "pattern: ^[A-Z]{2}\\d{2}$." })).toMatch(/^[A-Z]{2}\d{2}$/);
  });

  test.each<[string, JsonSchema]>([
    [
      "a tree",
      {
        $ref: "#/$defs/node",
        $defs: {
          node: {
            type: "object",
            properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/node" } } },
            required: ["name", "children"],
          },
        },
      },
    ],
    [
      "a linked list",
      {
        type: "object",
        properties: { value: { type: "integer" }, next: { anyOf: [{ $ref: "#" }, { type: "null" }] } },
        required: ["value", "next"],
      },
    ],
    ["optional recursion", { type: "object", properties: { parent: { $ref: "#" }, title: { type: "string" } }, required: ["title"] }],
  ])("%s ends", async (_, schema) => {
    const value = await write(schema);
    expect(mistakesIn(schema, value)).toBe("");
    expect(JSON.stringify(value).length).toBeLessThan(20_000);
  });

  test.each<[string, JsonSchema]>([
    ["not", { type: "string", not: { enum: ["billing"] } }],
    [
      "if and else",
      {
        type: "object",
        properties: { kind: { enum: ["a"] } },
        required: ["kind"],
        if: { required: ["b"] },
        else: { required: ["c"], properties: { c: { type: "integer" } } },
      },
    ],
    [
      "oneOf that overlaps",
      {
        oneOf: [
          { type: "integer", multipleOf: 3 },
          { type: "integer", multipleOf: 5 },
        ],
      },
    ],
    [
      "dependentRequired",
      { type: "object", properties: { card: { type: "string" }, code: { type: "string" } }, dependentRequired: { card: ["code"] } },
    ],
    ["contains", { type: "array", items: { type: "integer", minimum: 0, maximum: 3 }, contains: { const: 2 }, minItems: 4 }],
    [
      "patternProperties",
      { type: "object", patternProperties: { "^x-": { type: "integer" } }, additionalProperties: false, minProperties: 1 },
    ],
    ["draft 7 tuples", { type: "array", items: [{ type: "string" }, { type: "integer" }], minItems: 2 }],
  ])("the keyword %s is obeyed", async (_, schema) => {
    const checked = createValueWriter();
    const value = await checked.write(schema, "", "1");
    const lenient = new Ajv2020({ strict: false, logger: false, validateSchema: false });
    const items = (schema as { items?: Json }).items;
    expect(
      lenient.validate(Array.isArray(items) ? { ...(schema as object), items: undefined, prefixItems: items } : (schema as object), value),
    ).toBe(true);
  });

  test.each<[string, JsonSchema]>([
    ["false", false],
    ["an empty range", { type: "integer", minimum: 5, maximum: 4 }],
    ["required recursion", { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] }],
    ["a reference to nowhere", { $ref: "#/$defs/missing" }],
    ["a billion items", { type: "array", items: { type: "string" }, minItems: 1_000_000_000 }],
  ])("a schema that no value fits is refused: %s", async (_, schema) => {
    await expect(write(schema)).rejects.toThrow(NoValueError);
  });
});
