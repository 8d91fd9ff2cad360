// Values for JSON Schemas, made up by seed: plausible by the names of the properties, and always valid.
// What the simulator answers where a structured answer is asked for.
export { NoValueError } from "./no-value-error.ts";
export { createValueWriter, type ValueWriter } from "./value-writer.ts";
