import type { Json, JsonSchema } from "@flow-run/spec";
import type { SeededRandom } from "../seeded-random.ts";
import { describedBounds } from "./described-bounds.ts";
import { drawNumber } from "./draw-number.ts";
import type { PatternText } from "./draw-text.ts";
import { drawText } from "./draw-text.ts";
import { mergeSchemas, type SchemaObject } from "./merge-schemas.ts";
import { NoValueError } from "./no-value-error.ts";
import { resolveReference } from "./resolve-reference.ts";

const MOST_NODES = 20_000;
/** From this depth on only what is required is written. */
const LEAN_DEPTH = 6;
/** A schema that contains itself is entered so often on one path before only what is required is written, and before it is given up. */
const LEAN_REENTRIES = 2;
const MOST_REENTRIES = 6;
const MOST_DEPTH = 200;
const MOST_DRAWN_ITEMS = 3;

export interface ValueContext {
  root: JsonSchema;
  random: SeededRandom;
  /** A few words of the prompt, for sentences. */
  quote: string;
  /** The prompt in lower case: a choice that it names is the likelier answer. */
  prompt: string;
  patternText: PatternText;
}

/**
 * Makes up a value for a schema: every property present, optional ones too, nothing null that need not be, lists of at most three items
 * unless more are asked for. Keywords that it does not know are not heeded, so the caller validates where the schema has some.
 * Throws NoValueError.
 */
export function generateValue(schema: JsonSchema, context: ValueContext): Json {
  const generator = new ValueGenerator(context);
  try {
    return generator.value(schema, "", 0, new Map());
  } catch (error) {
    if (error instanceof RangeError) throw new NoValueError("the schema is nested too deeply", true);
    throw error;
  }
}

type Reentries = ReadonlyMap<string, number>;

class ValueGenerator {
  private readonly context: ValueContext;
  private nodes = 0;

  constructor(context: ValueContext) {
    this.context = context;
  }

  value(schema: JsonSchema, name: string, depth: number, reentries: Reentries): Json {
    if (++this.nodes > MOST_NODES || depth > MOST_DEPTH) throw new NoValueError("the value would be too large", true);
    if (schema === false) throw new NoValueError("the schema allows nothing");
    if (schema === true) return this.text({}, name);
    const { $ref, allOf, anyOf, oneOf, ...own } = schema;
    if (typeof $ref === "string") {
      const entered = (reentries.get($ref) ?? 0) + 1;
      if (entered > MOST_REENTRIES) throw new NoValueError("the schema contains itself without end");
      const merged = mergeSchemas(resolveReference(this.context.root, $ref), { ...own, ...present({ allOf, anyOf, oneOf }) });
      return this.value(merged, name, depth + 1, new Map(reentries).set($ref, entered));
    }
    if (Array.isArray(allOf)) {
      const whole: JsonSchema = { ...own, ...present({ anyOf, oneOf }) };
      return this.value(
        (allOf as JsonSchema[]).map((part) => this.withoutReference(part)).reduce(mergeSchemas, whole),
        name,
        depth + 1,
        reentries,
      );
    }
    const branches = anyOf ?? oneOf;
    if (Array.isArray(branches)) {
      const whole: JsonSchema = { ...own, ...present({ oneOf: anyOf === undefined ? undefined : oneOf }) };
      return this.firstOf(
        branches as JsonSchema[],
        (branch) => this.value(mergeSchemas(whole, branch), name, depth + 1, reentries),
        depth,
        reentries,
      );
    }
    if (Object.hasOwn(own, "const")) return own.const!;
    if (Array.isArray(own.enum)) return this.choice(own.enum, own.type);
    return this.ofType(own, this.pickType(own, depth, reentries), name, depth, reentries);
  }

  private ofType(schema: SchemaObject, type: string, name: string, depth: number, reentries: Reentries): Json {
    const { random } = this.context;
    const bounded = describedBounds(schema, type);
    switch (type) {
      case "null":
        return null;
      case "boolean":
        return random.next() < 0.5;
      case "integer":
      case "number":
        return drawNumber(bounded, type === "integer", name, random);
      case "array":
        return this.list(bounded, name, depth, reentries);
      case "object":
        return this.object(bounded, name, depth, reentries);
      default:
        return this.text(bounded, name);
    }
  }

  private text(schema: SchemaObject, name: string): string {
    return drawText(schema, name, this.context.random, this.context.quote, this.context.patternText);
  }

  private object(schema: SchemaObject, name: string, depth: number, reentries: Reentries): Json {
    const properties = (schema.properties ?? {}) as { [name: string]: JsonSchema };
    const required = new Set((schema.required ?? []) as string[]);
    const others = schema.additionalProperties as JsonSchema | undefined;
    const lean = isLean(depth, reentries);
    const entries: [string, Json][] = [];
    for (const [key, inner] of Object.entries(properties)) {
      // Validators look such a property up as the object's prototype, so no value with it would be valid.
      if (key === "__proto__" || (lean && !required.has(key))) continue;
      const made = this.attempt(() => this.value(inner, key, depth + 1, reentries), required.has(key));
      if (made) entries.push([key, made.value]);
    }
    for (const key of required) {
      if (!Object.hasOwn(properties, key) && key !== "__proto__")
        entries.push([key, this.value(others ?? true, key, depth + 1, reentries)]);
    }
    const isMap = Object.keys(properties).length === 0 && typeof others === "object";
    const drawn = isMap && !lean ? Math.min(2, Number(schema.maxProperties ?? 2)) : 0;
    this.addOtherKeys(entries, schema, name, drawn, depth, reentries);
    return Object.fromEntries(entries);
  }

  /** Entries under keys of our own choice, until there are enough of them. */
  private addOtherKeys(
    entries: [string, Json][],
    schema: SchemaObject,
    name: string,
    drawn: number,
    depth: number,
    reentries: Reentries,
  ): void {
    const least = Number(schema.minProperties ?? 0);
    const [pattern, patterned] = Object.entries((schema.patternProperties ?? {}) as { [pattern: string]: JsonSchema })[0] ?? [];
    const others = (patterned ?? schema.additionalProperties ?? true) as JsonSchema;
    for (let index = 1; entries.length < Math.max(least, drawn) && others !== false; index++) {
      const seed = this.context.random.integer(0, 2 ** 31);
      const key = pattern === undefined ? `${name === "" ? "item" : name}${index}` : this.context.patternText(pattern, 0, 100, seed);
      if (index > MOST_NODES) throw new NoValueError("not enough different keys");
      if (key === "__proto__" || entries.some(([other]) => other === key)) continue;
      const made = this.attempt(() => this.value(others, name, depth + 1, reentries), entries.length < least);
      if (!made) return;
      entries.push([key, made.value]);
    }
  }

  private list(schema: SchemaObject, name: string, depth: number, reentries: Reentries): Json {
    const { random } = this.context;
    const prefix = (Array.isArray(schema.items) ? schema.items : (schema.prefixItems ?? [])) as JsonSchema[];
    const rest = (Array.isArray(schema.items) ? schema.additionalItems : schema.items) as JsonSchema | undefined;
    const least = Number(schema.minItems ?? 0);
    const most = Number(schema.maxItems ?? Number.MAX_SAFE_INTEGER);
    const drawn = isLean(depth, reentries) ? 0 : Math.max(prefix.length, rest === false ? 0 : random.integer(1, MOST_DRAWN_ITEMS));
    const length = Math.min(most, Math.max(least, drawn));
    const items: Json[] = [];
    const seen = new Set<string>();
    let repeated = 0;
    while (items.length < length) {
      const inner = prefix[items.length] ?? rest ?? true;
      const made = this.attempt(() => this.value(inner, name, depth + 1, reentries), items.length < least);
      if (!made) break;
      const text = schema.uniqueItems === true ? JSON.stringify(made.value) : undefined;
      if (text !== undefined && seen.has(text)) {
        if (++repeated < 50) continue;
        if (items.length >= least) break;
        throw new NoValueError("not enough different items");
      }
      if (text !== undefined) seen.add(text);
      items.push(made.value);
    }
    return items;
  }

  /** A value of an enum: the only one that the prompt names, if there is one, and null only when there is nothing else. */
  private choice(values: Json[], type: Json | undefined): Json {
    const { random, prompt } = this.context;
    const typed = type === undefined ? values : values.filter((value) => fitsType(value, Array.isArray(type) ? type : [type]));
    if (typed.length === 0) throw new NoValueError("the enum has no value of the type");
    const told = typed.filter((value) => value !== null);
    const named = told.filter(
      (value) => typeof value === "string" && value.length > 2 && prompt.includes(value.toLowerCase().replaceAll("_", " ")),
    );
    if (named.length === 1) return named[0]!;
    return told.length === 0 ? null : random.pick(told);
  }

  private pickType(schema: SchemaObject, depth: number, reentries: Reentries): string {
    const { type } = schema;
    if (typeof type === "string") return type;
    if (Array.isArray(type)) {
      if (isLean(depth, reentries) && type.includes("null")) return "null";
      const told = type.filter((candidate) => candidate !== "null");
      return told.length === 0 ? "null" : String(this.context.random.pick(told));
    }
    if (schema.properties || schema.required || schema.additionalProperties !== undefined || schema.minProperties) return "object";
    if (schema.items !== undefined || schema.prefixItems || schema.minItems || schema.contains) return "array";
    if (["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].some((keyword) => keyword in schema)) return "number";
    return "string";
  }

  /** The first branch, in a drawn order with the plain ones first where room is scarce, that has a value. */
  private firstOf(branches: JsonSchema[], make: (branch: JsonSchema) => Json, depth: number, reentries: Reentries): Json {
    const start = this.context.random.integer(0, Math.max(0, branches.length - 1));
    const order = [...branches.slice(start), ...branches.slice(0, start)];
    const lean = isLean(depth, reentries);
    order.sort((left, right) => weight(left, lean) - weight(right, lean));
    for (const branch of order) {
      const made = this.attempt(() => make(branch), false);
      if (made) return made.value;
    }
    throw new NoValueError("no branch has a value");
  }

  private withoutReference(schema: JsonSchema): JsonSchema {
    if (typeof schema === "boolean" || typeof schema.$ref !== "string") return schema;
    const { $ref, ...own } = schema;
    return mergeSchemas(resolveReference(this.context.root, $ref as string), own);
  }

  /** Null where there is no value and none is needed; the number of nodes bounds how often this may go wrong. */
  private attempt(make: () => Json, needed: boolean): { value: Json } | null {
    try {
      return { value: make() };
    } catch (error) {
      if (needed || !(error instanceof NoValueError)) throw error;
      return null;
    }
  }
}

function isLean(depth: number, reentries: Reentries): boolean {
  if (depth >= LEAN_DEPTH) return true;
  for (const count of reentries.values()) if (count >= LEAN_REENTRIES) return true;
  return false;
}

/** Null comes last; where room is scarce, plain values come before lists and objects, and those before references. */
function weight(branch: JsonSchema, lean: boolean): number {
  if (typeof branch === "boolean") return branch ? 0 : 9;
  if (branch.type === "null") return lean ? -1 : 8;
  if (!lean) return 0;
  if (branch.$ref !== undefined) return 3;
  return branch.type === "object" || branch.properties !== undefined ? 2 : branch.type === "array" ? 1 : 0;
}

function fitsType(value: Json, types: Json[]): boolean {
  return types.some((type) => {
    if (type === "integer") return Number.isInteger(value);
    if (type === "array") return Array.isArray(value);
    if (type === "null") return value === null;
    if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
    return typeof value === type;
  });
}

function present(keywords: { [keyword: string]: Json | undefined }): SchemaObject {
  return Object.fromEntries(Object.entries(keywords).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}
