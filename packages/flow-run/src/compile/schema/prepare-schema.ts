import type { Json, JsonSchema } from "@flow-run/spec";
import { KEYWORD_SHAPES } from "./json-schema-keywords.ts";

/**
 * A copy of a schema that can be compiled beside others: without `$schema` and `$id` (two schemas of one `$id` would clash), its
 * references to its own `$id` made local.
 */
export function prepareSchema(schema: JsonSchema): JsonSchema {
  if (typeof schema === "boolean") return schema;
  const own = typeof schema.$id === "string" ? schema.$id.replace(/#$/, "") : undefined;
  return prepare(schema, own) as JsonSchema;
}

function prepare(schema: Json, own: string | undefined): Json {
  if (Array.isArray(schema)) return schema.map((item) => prepare(item, own));
  if (typeof schema !== "object" || schema === null) return schema;
  const prepared: { [keyword: string]: Json } = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "$id" || keyword === "$schema" || keyword === "__proto__") continue;
    prepared[keyword] = prepareKeyword(keyword, value, own);
  }
  return prepared;
}

function prepareKeyword(keyword: string, value: Json, own: string | undefined): Json {
  const shape = KEYWORD_SHAPES.get(keyword);
  if (shape === "reference" && typeof value === "string" && own !== undefined && value.startsWith(own)) {
    return value.slice(own.length) || "#";
  }
  if (shape === "schema" || shape === "schema-list") return prepare(value, own);
  const namesSchemas = shape === "schema-map" || shape === "pattern-map" || keyword === "dependencies";
  if (!namesSchemas || typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([name]) => name !== "__proto__");
  return Object.fromEntries(entries.map(([name, inner]) => [name, prepare(inner, own)]));
}
