import { text } from "node:stream/consumers";
import type { Json, JsonObject, JsonSchema } from "@flow-run/spec";
import { CommandError } from "./command-error.ts";
import { readGivenFile } from "./read-given-file.ts";

/**
 * The input of a flow from the command line: `--input` as JSON, `@file` or `-`, then `key=value` pairs on top. A pair's value is text where the
 * schema wants text, otherwise JSON if it parses as such. Nothing given: `{}`.
 */
export async function readInput(given: string | undefined, pairs: readonly string[], schema: JsonSchema | undefined): Promise<Json> {
  const base = given === undefined ? {} : await readGivenInput(given);
  if (pairs.length === 0) return base;
  if (typeof base !== "object" || base === null || Array.isArray(base)) {
    throw new CommandError("key=value goes together only with an --input that is an object.");
  }
  const input: JsonObject = { ...base };
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at <= 0) throw new CommandError(`"${pair}" is not key=value. Write for example ticket="My order is late".`);
    const key = pair.slice(0, at);
    // As an own property, whatever it is called.
    Object.defineProperty(input, key, {
      value: value(pair.slice(at + 1), propertyOf(schema, key)),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return input;
}

/** What `--input` gives: JSON, `@file` or `-`. */
export async function readGivenInput(given: string): Promise<Json> {
  return parseJson(await source(given), given);
}

async function source(given: string): Promise<string> {
  if (given === "-") {
    if (process.stdin.isTTY) process.stderr.write("The input as JSON, then Ctrl-D:\n");
    return text(process.stdin);
  }
  return given.startsWith("@") ? readGivenFile(given.slice(1), "input") : given;
}

function parseJson(json: string, given: string): Json {
  try {
    return JSON.parse(json) as Json;
  } catch (error) {
    const what = given === "-" ? "Standard input" : given.startsWith("@") ? given.slice(1) : "--input";
    throw new CommandError(`${what} is not JSON: ${(error as Error).message}. Write for example --input '{"ticket": "My order is late"}'.`);
  }
}

function value(raw: string, schema: JsonSchema | undefined): Json {
  const types = typeof schema === "object" ? [schema.type].flat() : [];
  if (types.includes("string")) return raw;
  try {
    return JSON.parse(raw) as Json;
  } catch {
    return raw;
  }
}

function propertyOf(schema: JsonSchema | undefined, key: string): JsonSchema | undefined {
  if (typeof schema !== "object") return undefined;
  const properties = schema.properties;
  if (typeof properties !== "object" || properties === null || Array.isArray(properties) || !Object.hasOwn(properties, key))
    return undefined;
  return properties[key] as JsonSchema;
}
