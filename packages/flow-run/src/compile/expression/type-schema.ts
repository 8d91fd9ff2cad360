import type { Json, JsonSchema } from "@flow-run/spec";
import type { ObjectType, Type } from "./type.ts";

/** A JSON Schema for the values of a type, as they are written to JSON: times are strings. */
export function typeSchema(type: Type): JsonSchema {
  const definitions: { [name: string]: Json } = {};
  const names = new Map<Type, string>();

  const write = (current: Type): { [keyword: string]: Json } => {
    switch (current.kind) {
      case "any":
      case "never":
        return {};
      case "null":
        return { type: "null" };
      case "bool":
        return { type: "boolean" };
      case "integer":
      case "number":
        return { type: current.kind };
      case "string":
        return current.values === undefined ? { type: "string" } : { type: "string", enum: [...current.values] };
      case "timestamp":
      case "duration":
        return { type: "string" };
      case "list":
        return { type: "array", items: write(current.element) };
      case "object":
        return writeObject(current);
      case "nullable":
        return orNull(write(current.inner));
      case "optional":
        return write(current.inner);
      case "lazy":
        return { $ref: `#/$defs/${define(current)}` };
    }
  };
  const define = (current: Extract<Type, { kind: "lazy" }>): string => {
    const known = names.get(current);
    if (known !== undefined) return known;
    const name = `type${names.size + 1}`;
    names.set(current, name);
    definitions[name] = write(current.resolve());
    return name;
  };
  const writeObject = (object: ObjectType): { [keyword: string]: Json } => {
    const fields = [...object.fields];
    const required = fields.filter(([, field]) => !field.optional).map(([name]) => name);
    return {
      type: "object",
      ...(fields.length === 0 && object.rest !== "closed"
        ? {}
        : { properties: Object.fromEntries(fields.map(([name, field]) => [name, write(field.type)])) }),
      ...(required.length === 0 ? {} : { required }),
      ...(object.rest === "undeclared" ? {} : { additionalProperties: object.rest === "closed" ? false : write(object.rest) }),
    };
  };

  const schema = write(type);
  return Object.keys(definitions).length === 0 ? schema : { ...schema, $defs: definitions };
}

function orNull(schema: { [keyword: string]: Json }): { [keyword: string]: Json } {
  if (Object.keys(schema).length === 0) return schema;
  if (typeof schema.type === "string" && Array.isArray(schema.enum)) return { type: [schema.type, "null"], enum: [...schema.enum, null] };
  if (typeof schema.type === "string") return { ...schema, type: [schema.type, "null"] };
  return { anyOf: [schema, { type: "null" }] };
}
