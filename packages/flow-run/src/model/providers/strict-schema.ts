import type { Json } from "@flow-run/spec";

/** Keywords that OpenAI's strict mode takes from every model. */
const STRICT_KEYWORDS: ReadonlySet<string> = new Set([
  "type",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "enum",
  "const",
  "anyOf",
  "description",
  "title",
]);

/**
 * Whether a schema may be sent in OpenAI's strict mode, in which the answer is guaranteed to fit: every object closed, every property required,
 * only plain keywords. Any other schema is refused there with a 400, and is sent as advice instead.
 */
export function followsStrictRules(schema: Json | undefined): boolean {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return false;
  if (Object.keys(schema).some((keyword) => !STRICT_KEYWORDS.has(keyword))) return false;
  if (schema.type === "object" || schema.properties !== undefined) {
    const properties = schema.properties;
    if (schema.type !== "object" || schema.additionalProperties !== false || !isRecord(properties)) return false;
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    return Object.entries(properties).every(([name, property]) => required.has(name) && followsStrictRules(property));
  }
  if (schema.type === "array" || schema.items !== undefined) return followsStrictRules(schema.items);
  if (schema.anyOf !== undefined) return Array.isArray(schema.anyOf) && schema.anyOf.every(followsStrictRules);
  return schema.type !== undefined || schema.enum !== undefined || schema.const !== undefined;
}

function isRecord(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
