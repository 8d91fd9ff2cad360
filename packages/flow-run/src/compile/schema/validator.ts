import { createHash } from "node:crypto";
import { FlowRunError, type Json, type JsonSchema } from "@flow-run/spec";
import type { ErrorObject, ValidateFunction } from "ajv";
import { type Compiler, createCompiler } from "./compiler.ts";
import { plainErrors, type ValueError } from "./plain-words.ts";
import { guardValue } from "./value-guard.ts";

export interface Validation {
  /** The value that was given; with `defaults`, a copy in which absent properties have their schema's `default`. */
  value: Json;
  /** Empty when the value is valid; at most 20. */
  errors: ValueError[];
}

export interface Validators {
  /**
   * Checks a value, never changes or coerces it. Draft by `$schema`, 2020-12 by default; formats are checked; patterns run in linear
   * time. Throws `FlowRunError` `invalid-schema` for a schema that cannot be compiled (which compilation of a project reports first).
   */
  validate(schema: JsonSchema, value: Json, options?: { defaults?: boolean }): Validation;
}

/** Each compiled on first use: most values are valid and need neither all errors nor defaults. */
interface Entry {
  schema: JsonSchema;
  hasDefaults: boolean;
  quick: ValidateFunction;
  thorough?: ValidateFunction;
  filling?: ValidateFunction;
}

const MAX_ENTRIES = 1_000;
const MAX_ERRORS = 20;
/** Above this many parts only the first error is collected: an error for each of a million items would exhaust memory. */
const THOROUGH_NODES = 10_000;

/** Validators for users' schemas, compiled once for each content and kept for the thousand used last. */
export function createValidators(): Validators {
  const compiler = createCompiler();
  const byHash = new Map<string, Entry>();
  const byIdentity = new WeakMap<object, Entry>();

  function entryOf(schema: JsonSchema): Entry {
    const known = typeof schema === "object" ? byIdentity.get(schema) : undefined;
    if (known !== undefined) return known;
    const text = JSON.stringify(schema);
    const hash = createHash("sha256").update(text).digest("base64");
    const entry = byHash.get(hash) ?? { schema, hasDefaults: text.includes('"default"'), quick: compiler.compile(schema, "quick") };
    byHash.delete(hash);
    byHash.set(hash, entry);
    if (byHash.size > MAX_ENTRIES) byHash.delete(byHash.keys().next().value!);
    if (typeof schema === "object") byIdentity.set(schema, entry);
    return entry;
  }

  return {
    validate(schema, value, options = {}) {
      const guarded = guardValue(value);
      if (guarded.error !== undefined) return { value, errors: [guarded.error] };
      const entry = entryOf(schema);
      const filled = options.defaults === true && entry.hasDefaults ? fillDefaults(compiler, entry, value) : value;
      if (run(entry.quick, filled)) return { value: filled, errors: [] };
      let errors = entry.quick.errors ?? [];
      if (guarded.nodes <= THOROUGH_NODES) {
        entry.thorough ??= compiler.compile(entry.schema, "thorough");
        run(entry.thorough, filled);
        errors = entry.thorough.errors ?? errors;
      }
      return { value: filled, errors: plainErrors(errors as ErrorObject[]).slice(0, MAX_ERRORS) };
    },
  };
}

function fillDefaults(compiler: Compiler, entry: Entry, value: Json): Json {
  entry.filling ??= compiler.compile(entry.schema, "filling");
  const copy = { value: copyOf(value) };
  // Whether it is valid is for the caller to find out; a value that is not is filled as far as its shape allows.
  run(entry.filling, copy.value);
  return copy.value;
}

function run(check: ValidateFunction, value: Json): boolean {
  try {
    return check(value) as boolean;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FlowRunError("invalid-schema", "The schema refers to itself without end; give its recursion a level, such as a property.", {
      cause: error,
    });
  }
}

function copyOf(value: Json): Json {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)]));
}
