import type { Json, JsonSchema } from "@flow-run/spec";

export type SchemaObject = { [keyword: string]: Json };

const LARGER_WINS = new Set(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]);
const SMALLER_WINS = new Set(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]);

/** A schema that allows only what both allow, as far as one keyword can say it; false when nothing is left. */
export function mergeSchemas(left: JsonSchema, right: JsonSchema): JsonSchema {
  if (left === false || right === false) return false;
  if (left === true) return right;
  if (right === true) return left;
  const merged: SchemaObject = { ...left };
  for (const [keyword, value] of Object.entries(right)) {
    const other = merged[keyword];
    merged[keyword] = other === undefined ? value : mergeKeyword(keyword, other, value);
  }
  const types = merged.type;
  if (Array.isArray(types) && types.length === 0) return false;
  const values = merged.enum;
  if (Array.isArray(values) && values.length === 0) return false;
  return merged;
}

function mergeKeyword(keyword: string, left: Json, right: Json): Json {
  if (LARGER_WINS.has(keyword)) return Math.max(left as number, right as number);
  if (SMALLER_WINS.has(keyword)) return Math.min(left as number, right as number);
  switch (keyword) {
    case "type":
      return intersectTypes(asList(left), asList(right));
    case "enum":
      return asList(left).filter((value) => asList(right).some((other) => JSON.stringify(other) === JSON.stringify(value)));
    case "required":
      return [...new Set([...asList(left), ...asList(right)])];
    case "allOf":
      return [...asList(left), ...asList(right)];
    case "properties": {
      const properties = new Map(Object.entries(left as SchemaObject));
      for (const [name, schema] of Object.entries(right as SchemaObject)) {
        const other = properties.get(name);
        properties.set(name, other === undefined ? schema : mergeSchemas(other as JsonSchema, schema as JsonSchema));
      }
      return Object.fromEntries(properties);
    }
    case "items":
    case "additionalProperties":
      return mergeSchemas(left as JsonSchema, right as JsonSchema);
    case "uniqueItems":
      return left === true || right === true;
    default:
      return right;
  }
}

function intersectTypes(left: Json[], right: Json[]): Json[] {
  const both = left.filter((type) => right.includes(type));
  if (!both.includes("integer") && both.includes("number") === false) {
    const wholeNumbers = (left.includes("integer") && right.includes("number")) || (left.includes("number") && right.includes("integer"));
    if (wholeNumbers) both.push("integer");
  }
  return both;
}

function asList(value: Json): Json[] {
  return Array.isArray(value) ? value : [value];
}
