// Everything about the schemas that authors write: Picoschema and JSON Schema are read into JSON Schema here, checked with the
// path of each mistake, and compiled into validators that answer in plain words.
export { compilePattern, type Pattern } from "./patterns.ts";
export type { ValueError } from "./plain-words.ts";
export { SchemaNotationError, type SchemaProblem } from "./schema-notation-error.ts";
export { readSchemaNotation, type SchemaReading, toJsonSchema } from "./to-json-schema.ts";
export { createValidators, type Validation, type Validators } from "./validator.ts";
