import { type Json, type JsonSchema, suggest } from "@flow-run/spec";
import type { SchemaProblem } from "./schema-notation-error.ts";

const SCALAR_TYPES = ["any", "boolean", "integer", "null", "number", "string"];
const GROUP_TYPES = ["array", "object", "enum"];
const WILDCARD = "(*)";
const MAX_DEPTH = 50;

type ObjectSchema = { [keyword: string]: Json };

/** Collects problems while the tree is walked. */
interface Reading {
  problems: SchemaProblem[];
}

/** Picoschema, the short notation of the Dotprompt specification → JSON Schema, with all problems at once. */
export function readPicoschema(notation: Json): { schema: JsonSchema; problems: SchemaProblem[] } {
  const reading: Reading = { problems: [] };
  const schema = readType(notation, [], reading);
  return { schema, problems: reading.problems };
}

function readType(notation: Json, path: (string | number)[], reading: Reading): ObjectSchema {
  if (typeof notation === "string") return readScalar(notation, path, reading);
  if (path.length > MAX_DEPTH) return reject(reading, path, `a schema may be nested at most ${MAX_DEPTH} deep`);
  if (notation === null) {
    return reject(reading, path, "a type is missing", 'write a type such as string, or "null" in quotes for the type null');
  }
  if (Array.isArray(notation)) {
    return reject(
      reading,
      path,
      "a list is not a type",
      "for a list of allowed values write NAME(enum): [a, b]; for an array NAME(array): string",
    );
  }
  if (typeof notation !== "object") {
    return reject(reading, path, `${JSON.stringify(notation)} is not a type`, "write a type such as string, or fields with types");
  }
  return readObject(notation, path, reading);
}

function readScalar(notation: string, path: (string | number)[], reading: Reading): ObjectSchema {
  const [type, description] = splitDescription(notation);
  if (!SCALAR_TYPES.includes(type)) {
    const near = suggest(type, SCALAR_TYPES);
    const unknown = `unknown type ${JSON.stringify(type)}`;
    if (near !== undefined) return reject(reading, path, unknown, `did you mean ${JSON.stringify(near)}?`);
    return reject(reading, path, `${unknown} (schemas with names of their own are not supported)`, groupHint(type));
  }
  return { ...(type === "any" ? {} : { type }), ...(description === undefined ? {} : { description }) };
}

function groupHint(type: string): string {
  if (type === "array" || type === "list") return "write NAME(array): string";
  if (type === "enum") return "write NAME(enum): [a, b]";
  if (type === "object") return "write NAME(object): followed by its fields, or NAME: any";
  return `the types are ${SCALAR_TYPES.join(", ")}; or write the schema out in place`;
}

function readObject(notation: { [key: string]: Json }, path: (string | number)[], reading: Reading): ObjectSchema {
  const properties: ObjectSchema = {};
  const required: string[] = [];
  let additionalProperties: Json = false;
  for (const [key, value] of Object.entries(notation)) {
    const keyPath = [...path, key];
    if (key === WILDCARD) {
      additionalProperties = readType(value, keyPath, reading);
      continue;
    }
    const field = readKey(key, keyPath, reading);
    if (field === undefined) continue;
    if (Object.hasOwn(properties, field.name)) {
      reject(reading, keyPath, `the field ${JSON.stringify(field.name)} is declared twice`);
      continue;
    }
    if (!field.optional) required.push(field.name);
    properties[field.name] = readField(field, value, keyPath, reading);
  }
  return { type: "object", properties, ...(required.length === 0 ? {} : { required }), additionalProperties };
}

interface Field {
  name: string;
  optional: boolean;
  group?: string;
  description?: string;
}

/** `name`, `name?`, `name(array)`, `name?(enum, what it is for)`. */
function readKey(key: string, path: (string | number)[], reading: Reading): Field | undefined {
  const parenthesis = key.indexOf("(");
  const beforeParenthesis = (parenthesis === -1 ? key : key.slice(0, parenthesis)).trim();
  const optional = beforeParenthesis.endsWith("?");
  const name = optional ? beforeParenthesis.slice(0, -1) : beforeParenthesis;
  if (name === "" || name === "__proto__") {
    reject(reading, path, name === "" ? `the field ${JSON.stringify(key)} has no name` : "a field may not be called __proto__");
    return undefined;
  }
  if (parenthesis === -1) return { name, optional };
  if (!key.trimEnd().endsWith(")")) {
    reject(reading, path, `")" is missing in ${JSON.stringify(key)}`);
    return undefined;
  }
  const [group, description] = splitDescription(key.trimEnd().slice(parenthesis + 1, -1));
  if (!GROUP_TYPES.includes(group)) {
    const near = suggest(group, GROUP_TYPES);
    const hint =
      near === undefined
        ? `in parentheses stands array, object or enum; write ${name}${optional ? "?" : ""}: ${group}`
        : `did you mean "${near}"?`;
    reject(reading, path, `unknown type ${JSON.stringify(group)} in parentheses`, hint);
    return undefined;
  }
  return { name, optional, group, ...(description === undefined ? {} : { description }) };
}

function readField(field: Field, value: Json, path: (string | number)[], reading: Reading): ObjectSchema {
  const described: ObjectSchema = field.description === undefined ? {} : { description: field.description };
  if (field.group === "array")
    return { type: field.optional ? ["array", "null"] : "array", items: readType(value, path, reading), ...described };
  if (field.group === "enum") return { ...readEnum(field, value, path, reading), ...described };
  const schema: ObjectSchema = { ...readType(value, path, reading), ...described };
  // An optional field may also be null: models that must fill in every property answer null for what is absent.
  return field.optional && typeof schema.type === "string" ? { ...schema, type: [schema.type, "null"] } : schema;
}

function readEnum(field: Field, value: Json, path: (string | number)[], reading: Reading): ObjectSchema {
  const scalars = Array.isArray(value) && value.every((item) => item === null || typeof item !== "object");
  if (!scalars || value.length === 0) {
    return reject(reading, path, "an enum needs a list of its values", `write ${field.name}(enum): [a, b]`);
  }
  return { enum: field.optional && !value.includes(null) ? [...value, null] : [...value] };
}

function splitDescription(text: string): [type: string, description: string | undefined] {
  const comma = text.indexOf(",");
  if (comma === -1) return [text.trim(), undefined];
  const description = text.slice(comma + 1).trim();
  return [text.slice(0, comma).trim(), description === "" ? undefined : description];
}

function reject(reading: Reading, path: (string | number)[], message: string, hint?: string): ObjectSchema {
  reading.problems.push({ path, message, ...(hint === undefined ? {} : { hint }) });
  return {};
}
