import type { Json, JsonSchema } from "@flow-run/spec";
import { isJsonSchemaNotation, jsonSchemaProblems } from "./json-schema-notation.ts";
import { readPicoschema } from "./picoschema.ts";
import { SchemaNotationError, type SchemaProblem } from "./schema-notation-error.ts";

/** A notation read as far as it makes sense, with everything that is wrong with it. */
export interface SchemaReading {
  schema: JsonSchema;
  problems: SchemaProblem[];
}

/**
 * Picoschema or JSON Schema → JSON Schema, with all problems at once. Picoschema follows the Dotprompt specification, save that
 * `any` is `{}`. What an author wrote as JSON Schema is returned as it is (`type: object` added where only `properties` stands).
 */
export function readSchemaNotation(notation: Json): SchemaReading {
  if (isJsonSchemaNotation(notation)) {
    const { schema, problems } = jsonSchemaProblems(notation);
    return { schema, problems };
  }
  return readPicoschema(notation);
}

/** As `readSchemaNotation`, for callers who need a schema or nothing: throws a `SchemaNotationError` with all problems. */
export function toJsonSchema(notation: Json): JsonSchema {
  const { schema, problems } = readSchemaNotation(notation);
  const [first, ...others] = problems;
  if (first !== undefined) throw new SchemaNotationError([first, ...others]);
  return schema;
}
