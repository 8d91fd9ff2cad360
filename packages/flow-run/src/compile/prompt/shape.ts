import type { Json, JsonSchema } from "@flow-run/spec";

type Kind = "object" | "array" | "string" | "number" | "boolean" | "null";
type ObjectSchema = { [keyword: string]: Json };

/** What is known, before rendering, of a value that a template reads. */
export interface Shape {
  /** The same for shapes that are the same: a template is checked once for each. */
  readonly id: string;
  /** In the author's words: `the input`, `customer`, `an element of orders`. */
  readonly label: string;
  /** Its fields are the variables of the prompt. */
  readonly isInput: boolean;
  /** Kinds of value that it can be; null: anything. */
  kinds(): ReadonlySet<Kind> | null;
  /** The shape of a field; undefined: there can be no such field. */
  field(name: string): Shape | undefined;
  fieldNames(): string[];
  /** What `each` goes over. */
  element(): Shape;
  /** All values that it can have, when they are listed. */
  values(): readonly Json[] | null;
  /** The value as a whole leaves the template's sight: printed, or handed to a helper. */
  readWhole(): void;
}

/** A value of which nothing is known. */
export class AnyShape implements Shape {
  readonly id = "any";
  readonly label: string;
  readonly isInput = false;

  constructor(label = "a value") {
    this.label = label;
  }
  kinds(): null {
    return null;
  }
  field(name: string): Shape {
    return new AnyShape(name);
  }
  fieldNames(): string[] {
    return [];
  }
  element(): Shape {
    return new AnyShape(`an element of ${this.label}`);
  }
  values(): null {
    return null;
  }
  readWhole(): void {}
}

/** Numbers for schemas and texts, so that shapes made of the same are known to be the same. */
class Identities {
  readonly #known = new Map<object | string, number>();

  of(schema: object | string): number {
    const known = this.#known.get(schema) ?? this.#known.size;
    this.#known.set(schema, known);
    return known;
  }
}

/** What shapes of one document share. */
export interface ShapeDocument {
  root: JsonSchema;
  identities: Identities;
}

export function shapeDocument(root: JsonSchema): ShapeDocument {
  return { root, identities: new Identities() };
}

/** What JSON Schema says of a value; of several schemas, the value fits one or more, and a field exists if it exists in any. */
export class SchemaShape implements Shape {
  readonly id: string;
  readonly label: string;
  readonly isInput = false;
  readonly #document: ShapeDocument;
  /** Free of references and combinations; null: anything. */
  readonly #parts: ObjectSchema[] | null;
  /** Fields, to be asked for again. */
  readonly #fields = new Map<string, Shape | undefined>();

  constructor(schemas: readonly Json[], document: ShapeDocument, label: string) {
    this.label = label;
    this.#document = document;
    this.#parts = partsOfAll(schemas, document.root);
    this.id = this.#parts === null ? "any" : `${label}#${this.#parts.map((part) => document.identities.of(part)).join("+")}`;
  }

  kinds(): ReadonlySet<Kind> | null {
    if (this.#parts === null) return null;
    const kinds = new Set<Kind>();
    for (const part of this.#parts) {
      const own = kindsOf(part);
      if (own === null) return null;
      for (const kind of own) kinds.add(kind);
    }
    return kinds;
  }

  field(name: string): Shape | undefined {
    if (this.#parts === null) return new AnyShape(name);
    if (!this.#fields.has(name)) this.#fields.set(name, this.#readField(name, this.#parts));
    return this.#fields.get(name);
  }

  fieldNames(): string[] {
    return [...new Set((this.#parts ?? []).flatMap((part) => Object.keys(record(part.properties))))];
  }

  element(): Shape {
    const label = `an element of ${this.label}`;
    if (this.#parts === null) return new AnyShape(label);
    const found: Json[] = [];
    for (const part of this.#parts) {
      const kinds = kindsOf(part);
      if (kinds === null) return new AnyShape(label);
      if (kinds.has("array")) found.push(...list(part.prefixItems), part.items ?? true);
      if (kinds.has("object")) {
        const { properties, additionalProperties } = part;
        found.push(
          ...Object.values(record(properties)),
          ...(additionalProperties === undefined || additionalProperties === false ? [] : [additionalProperties]),
        );
        if (isOpen(part)) return new AnyShape(label);
      }
    }
    return found.length === 0 ? new AnyShape(label) : new SchemaShape(found, this.#document, label);
  }

  values(): readonly Json[] | null {
    const values: Json[] = [];
    for (const part of this.#parts ?? [{}]) {
      if ("const" in part) values.push(part.const!);
      else if (Array.isArray(part.enum)) values.push(...part.enum);
      else if (part.type === "boolean") values.push(true, false);
      else if (part.type === "null") values.push(null);
      else return null;
    }
    return values;
  }

  readWhole(): void {}

  #readField(name: string, parts: readonly ObjectSchema[]): Shape | undefined {
    const found: Json[] = [];
    for (const part of parts) {
      const kinds = kindsOf(part);
      if (kinds === null) return new AnyShape(name);
      if ((kinds.has("array") || kinds.has("string")) && name === "length") found.push({ type: "integer" });
      if (kinds.has("array") && /^\d+$/.test(name)) found.push(...list(part.prefixItems), part.items ?? true);
      if (!kinds.has("object")) continue;
      const properties = record(part.properties);
      if (Object.hasOwn(properties, name)) found.push(properties[name]!);
      else if (isOpen(part) || part.patternProperties !== undefined) return new AnyShape(name);
      else if (typeof part.additionalProperties === "object") found.push(part.additionalProperties);
    }
    return found.length === 0 ? undefined : new SchemaShape(found, this.#document, name);
  }
}

/** An object without declared properties may hold any; one with properties only what it says: else no misspelling would ever be found. */
function isOpen({ properties, additionalProperties }: ObjectSchema): boolean {
  return additionalProperties === true || (additionalProperties === undefined && Object.keys(record(properties)).length === 0);
}

function kindsOf(part: ObjectSchema): ReadonlySet<Kind> | null {
  const types = part.type === undefined ? impliedTypes(part) : list(part.type).length > 0 ? list(part.type) : [part.type];
  return types === null ? null : new Set(types.map((type) => (type === "integer" ? "number" : (type as Kind))));
}

function impliedTypes(part: ObjectSchema): Json[] | null {
  if ("const" in part) return [typeOf(part.const!)];
  if (Array.isArray(part.enum)) return part.enum.map(typeOf);
  if (part.properties !== undefined || typeof part.additionalProperties === "object") return ["object"];
  return part.items !== undefined || part.prefixItems !== undefined ? ["array"] : null;
}

function typeOf(value: Json): Kind {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : (typeof value as Kind);
}

const INFORMATIVE = ["type", "enum", "const", "properties", "additionalProperties", "patternProperties", "items", "prefixItems"];
const MAX_EXPANSION = 200;

function partsOfAll(schemas: readonly Json[], root: JsonSchema): ObjectSchema[] | null {
  const parts: ObjectSchema[] = [];
  for (const schema of schemas) {
    const own = partsOf(schema, root, { left: MAX_EXPANSION });
    if (own === null) return null;
    parts.push(...own);
  }
  return parts.length === 0 ? null : [...new Set(parts)];
}

/** The schema, what it refers to and what it is combined of, each alone; null when it says nothing. */
function partsOf(schema: Json, root: JsonSchema, budget: { left: number }): ObjectSchema[] | null {
  budget.left -= 1;
  if (typeof schema !== "object" || schema === null || Array.isArray(schema) || budget.left < 0) return null;
  if (typeof schema.$ref === "string") {
    const target = pointedAt(schema.$ref, root);
    return target === undefined ? null : partsOf(target, root, budget);
  }
  const own = INFORMATIVE.some((keyword) => keyword in schema) ? [schema] : [];
  const others: ObjectSchema[] = [];
  for (const member of list(schema.allOf)) others.push(...(partsOf(member, root, budget) ?? []));
  for (const member of [...list(schema.anyOf), ...list(schema.oneOf)]) {
    const parts = partsOf(member, root, budget);
    if (parts !== null) others.push(...parts);
    else if (own.length === 0) return null;
  }
  // `type: object` beside alternatives says nothing that they do not say better.
  const kept = others.length > 0 && schema.properties === undefined && schema.additionalProperties === undefined ? [] : own;
  const branches = [schema.then, schema.else].flatMap((branch) => (branch === undefined ? [] : (partsOf(branch, root, budget) ?? [])));
  return kept.length + others.length === 0 ? null : [...kept, ...others, ...branches];
}

function pointedAt(reference: string, root: JsonSchema): Json | undefined {
  if (reference !== "#" && !reference.startsWith("#/")) return undefined;
  let target: Json | undefined = root;
  for (const segment of reference.split("/").slice(1)) {
    const key = decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof target !== "object" || target === null || !Object.hasOwn(target, key)) return undefined;
    target = (target as ObjectSchema)[key];
  }
  return target;
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function record(value: Json | undefined): ObjectSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
