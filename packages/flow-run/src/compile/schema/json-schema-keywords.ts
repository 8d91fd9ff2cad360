/** What may stand as a keyword's value. */
export type KeywordShape =
  | "schema"
  | "schema-list"
  | "schema-map"
  | "type"
  | "pattern"
  | "pattern-map"
  | "reference"
  | "list"
  | "strings"
  | "number"
  | "count"
  | "string"
  | "boolean"
  | "anything";

/** Keywords of JSON Schema (drafts 06 to 2020-12) and the annotations that editors and OpenAPI add. */
export const KEYWORD_SHAPES: ReadonlyMap<string, KeywordShape> = new Map<string, KeywordShape>([
  ["$schema", "string"],
  ["$id", "string"],
  // Draft 04; now an annotation.
  ["id", "string"],
  ["$ref", "reference"],
  ["$dynamicRef", "reference"],
  ["$recursiveRef", "reference"],
  ["$anchor", "string"],
  ["$dynamicAnchor", "string"],
  ["$recursiveAnchor", "anything"],
  ["$comment", "string"],
  ["$vocabulary", "anything"],
  ["$defs", "schema-map"],
  ["definitions", "schema-map"],
  ["type", "type"],
  ["enum", "list"],
  ["const", "anything"],
  ["properties", "schema-map"],
  ["patternProperties", "pattern-map"],
  ["additionalProperties", "schema"],
  ["unevaluatedProperties", "schema"],
  ["propertyNames", "schema"],
  ["required", "strings"],
  ["dependentRequired", "anything"],
  ["dependentSchemas", "schema-map"],
  ["dependencies", "anything"],
  ["minProperties", "count"],
  ["maxProperties", "count"],
  // A list of schemas in drafts before 2020-12.
  ["items", "schema"],
  ["prefixItems", "schema-list"],
  ["additionalItems", "schema"],
  ["unevaluatedItems", "schema"],
  ["contains", "schema"],
  ["minContains", "count"],
  ["maxContains", "count"],
  ["minItems", "count"],
  ["maxItems", "count"],
  ["uniqueItems", "boolean"],
  ["minLength", "count"],
  ["maxLength", "count"],
  ["pattern", "pattern"],
  ["format", "string"],
  ["contentEncoding", "string"],
  ["contentMediaType", "string"],
  ["contentSchema", "schema"],
  ["minimum", "number"],
  ["maximum", "number"],
  ["exclusiveMinimum", "number"],
  ["exclusiveMaximum", "number"],
  ["multipleOf", "number"],
  ["allOf", "schema-list"],
  ["anyOf", "schema-list"],
  ["oneOf", "schema-list"],
  ["not", "schema"],
  ["if", "schema"],
  ["then", "schema"],
  ["else", "schema"],
  ["title", "string"],
  ["description", "string"],
  ["default", "anything"],
  ["examples", "list"],
  ["deprecated", "boolean"],
  ["readOnly", "boolean"],
  ["writeOnly", "boolean"],
  ["example", "anything"],
  ["nullable", "boolean"],
  ["discriminator", "anything"],
  ["markdownDescription", "string"],
]);

export const TYPES: readonly string[] = ["array", "boolean", "integer", "null", "number", "object", "string"];
