import type { Json, JsonSchema } from "@flow-run/spec";
import { joinable, joinTypes } from "./join-types.ts";
import { anyType, boolType, type Field, integerType, nullType, numberType, type ObjectType, stringType, type Type } from "./type.ts";
import { nullable } from "./type-view.ts";

/** A field with a default is there when it is read, and may be left out when it is written. */
export type SchemaMode = "read" | "write";

/** The type of the values that a JSON Schema describes. Formats, bounds and patterns are left to validation. */
export function schemaType(schema: JsonSchema, mode: SchemaMode): Type {
  return new SchemaReader(schema, mode).read(schema);
}

const ANNOTATIONS = new Set([
  "$schema",
  "$id",
  "$comment",
  "$defs",
  "definitions",
  "$anchor",
  "title",
  "description",
  "default",
  "examples",
]);

class SchemaReader {
  readonly root: JsonSchema;
  readonly mode: SchemaMode;
  /** One type for each `$ref`, so that a type that holds itself is recognised. */
  readonly references = new Map<string, Type>();

  constructor(root: JsonSchema, mode: SchemaMode) {
    this.root = root;
    this.mode = mode;
  }

  read(schema: Json | undefined): Type {
    if (!isSchemaObject(schema)) return anyType;
    if (typeof schema.$ref === "string") return this.withSiblings(this.reference(schema.$ref), schema, "$ref");
    if (Array.isArray(schema.allOf)) {
      const { allOf, ...others } = schema;
      return this.withSiblings(allOf.map((part) => this.read(part)).reduce(merge, anyType), others);
    }
    const choice = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(choice)) {
      const { anyOf: _any, oneOf: _one, ...others } = schema;
      return this.withSiblings(readChoice(choice.map((part) => this.read(part))), others);
    }
    if (schema.const !== undefined) return readValues([schema.const]);
    if (Array.isArray(schema.enum)) return readValues(schema.enum);
    const kinds = Array.isArray(schema.type) ? schema.type : [schema.type];
    const types = kinds.filter((kind) => kind !== "null").map((kind) => this.readKind(kind, schema));
    if (types.length === 0) return nullType;
    const type = readChoice(types);
    return kinds.includes("null") ? nullable(type) : type;
  }

  /** Keywords beside a reference or a choice narrow it further. */
  withSiblings(type: Type, schema: { [keyword: string]: Json }, ...without: string[]): Type {
    const siblings = Object.entries(schema).filter(([keyword]) => !ANNOTATIONS.has(keyword) && !without.includes(keyword));
    return siblings.length === 0 ? type : merge(type, this.read(Object.fromEntries(siblings)));
  }

  reference(pointer: string): Type {
    const known = this.references.get(pointer);
    if (known) return known;
    let resolved: Type | undefined;
    const type: Type = {
      kind: "lazy",
      resolve: () => {
        resolved ??= this.read(resolvePointer(this.root, pointer));
        return resolved;
      },
    };
    this.references.set(pointer, type);
    return type;
  }

  readKind(kind: Json | undefined, schema: { [keyword: string]: Json }): Type {
    switch (kind) {
      case "string":
        return stringType;
      case "boolean":
        return boolType;
      case "integer":
        return integerType;
      case "number":
        return numberType;
      case "array":
        return { kind: "list", element: Array.isArray(schema.prefixItems) ? anyType : this.read(schema.items) };
      case "object":
        return this.readObject(schema);
      case undefined:
        if (isSchemaObject(schema.properties)) return this.readObject(schema);
        return schema.items === undefined ? anyType : this.readKind("array", schema);
      default:
        return anyType;
    }
  }

  readObject(schema: { [keyword: string]: Json }): ObjectType {
    const fields = new Map<string, Field>();
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const properties = isSchemaObject(schema.properties) ? schema.properties : {};
    for (const [name, property] of Object.entries(properties)) {
      const hasDefault = isSchemaObject(property) && property.default !== undefined;
      fields.set(name, {
        type: this.read(property),
        optional: hasDefault ? this.mode === "write" : !required.has(name),
      });
    }
    const rest = this.readRest(schema);
    if (rest !== "closed") {
      for (const name of required) {
        if (typeof name === "string" && !fields.has(name)) {
          fields.set(name, { type: typeof rest === "string" ? anyType : rest, optional: false });
        }
      }
    }
    return { kind: "object", fields, rest };
  }

  readRest(schema: { [keyword: string]: Json }): ObjectType["rest"] {
    const additional = schema.additionalProperties;
    if (isSchemaObject(schema.patternProperties)) return anyType;
    if (additional === undefined) return isSchemaObject(schema.properties) ? "undeclared" : anyType;
    if (additional === false) return "closed";
    return this.read(additional);
  }
}

function isSchemaObject(value: Json | undefined): value is { [keyword: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Kept if the members differ only in null or are of one scalar kind, else any. */
function readChoice(types: readonly Type[]): Type {
  const solid = types.filter((type) => type.kind !== "null");
  if (solid.length === 0) return nullType;
  const isNullable = solid.length < types.length || solid.some((type) => type.kind === "nullable");
  const [first, ...others] = solid as [Type, ...Type[]];
  const scalar = (type: Type): boolean => {
    const kind = type.kind === "nullable" ? type.inner.kind : type.kind;
    return kind === "string" || kind === "bool" || kind === "integer" || kind === "number";
  };
  const kept = others.length === 0 || (solid.every(scalar) && others.every((other) => joinable(first, other)));
  const joined = kept ? others.reduce(joinTypes, first) : anyType;
  return isNullable ? nullable(joined) : joined;
}

function readValues(values: readonly Json[]): Type {
  const texts = values.filter((value) => typeof value === "string");
  const solid = values.filter((value) => value !== null);
  if (solid.length === 0) return nullType;
  let type: Type = anyType;
  if (texts.length === solid.length) type = { kind: "string", values: [...new Set(texts)].sort() };
  else if (solid.every((value) => typeof value === "boolean")) type = boolType;
  else if (solid.every((value) => typeof value === "number")) type = solid.every(Number.isInteger) ? integerType : numberType;
  return solid.length < values.length ? nullable(type) : type;
}

/** Both descriptions hold. Fields are merged; of other kinds the second is taken only where it says more. */
function merge(a: Type, b: Type): Type {
  const [left, right] = [a.kind === "lazy" ? a.resolve() : a, b.kind === "lazy" ? b.resolve() : b];
  if (left.kind === "any") return b;
  if (right.kind === "any") return a;
  if (left.kind === "nullable" && right.kind === "nullable") return nullable(merge(left.inner, right.inner));
  if (left.kind === "nullable") return merge(left.inner, right);
  if (right.kind === "nullable") return merge(left, right.inner);
  if (left.kind === "object" && right.kind === "object") return mergeObjects(left, right);
  if (left.kind === "string" && right.kind === "string") return left.values === undefined ? right : left;
  if (left.kind === "number" && right.kind === "integer") return right;
  if (left.kind === "integer" && right.kind === "number") return left;
  return left.kind === right.kind ? left : anyType;
}

function mergeObjects(a: ObjectType, b: ObjectType): ObjectType {
  const fields = new Map(a.fields);
  for (const [name, field] of b.fields) {
    const other = fields.get(name);
    fields.set(name, other ? { type: merge(other.type, field.type), optional: other.optional && field.optional } : field);
  }
  const rest = a.rest === "undeclared" ? b.rest : b.rest === "undeclared" || b.rest === "closed" ? a.rest : b.rest;
  // A map that any object fits says nothing about further fields once some are declared.
  const isMap = typeof rest !== "string" && rest.kind === "any" && fields.size > 0 && (a.fields.size === 0 || b.fields.size === 0);
  return { kind: "object", fields, rest: isMap ? "undeclared" : rest };
}

function resolvePointer(root: JsonSchema, pointer: string): Json | undefined {
  if (pointer === "#") return root;
  if (!pointer.startsWith("#/")) return undefined;
  let current: Json | undefined = root;
  for (const part of pointer.slice(2).split("/")) {
    const key = decodePart(part);
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as { [key: string]: Json })[key];
  }
  return current;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return part;
  }
}
