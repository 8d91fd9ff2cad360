import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Json, JsonObject, JsonSchema } from "@flow-run/spec";
import { CommandError } from "./command-error.ts";

/**
 * The input of a flow from the command line: `--input` as JSON, `@file` or `-`, then `key=value` pairs on top. A pair's value is text where the
 * schema wants text, otherwise JSON if it parses as such. Nothing given: `{}`.
 */
export async function readInput(given: string | undefined, pairs: readonly string[], schema: JsonSchema | undefined): Promise<Json> {
  const base = given === undefined ? {} : parseJson(await source(given), given);
  if (pairs.length === 0) return base;
  if (typeof base !== "object" || base === null || Array.isArray(base)) {
    throw new CommandError("key=value goes together only with an --input that is an object.");
  }
  const input: JsonObject = { ...base };
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at <= 0) throw new CommandError(`"${pair}" is not key=value. Write for example ticket="My order is late".`);
    const key = pair.slice(0, at);
    input[key] = value(pair.slice(at + 1), propertyOf(schema, key));
  }
  return input;
}

async function source(given: string): Promise<string> {
  if (given === "-") return text(process.stdin);
  if (!given.startsWith("@")) return given;
  try {
    return await readFile(given.slice(1), "utf8");
  } catch (error) {
    throw new CommandError(`Cannot read ${given.slice(1)}: ${(error as Error).message}`);
  }
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
  if (typeof properties !== "object" || properties === null || Array.isArray(properties) || !Object.hasOwn(properties, key)) return undefined;
  return properties[key] as JsonSchema;
}
