import type { Json } from "@flow-run/spec";
import { wellFormedText } from "../well-formed-text.ts";

/** Deeper than any sensible schema, far from the end of the stack. */
const MAX_DEPTH = 500;

export type ParsedAnswer = { value: Json } | { problem: string };

/**
 * The JSON in a model's answer: bare, in a markdown fence, or with prose around it. What no store could hold is refused (numbers beyond a
 * double) or replaced (NUL and lone surrogates, which JSON can smuggle in as escapes).
 */
export function parseJsonAnswer(text: string): ParsedAnswer {
  for (const candidate of candidates(text)) {
    let value: Json;
    try {
      value = JSON.parse(candidate) as Json;
    } catch {
      continue;
    }
    try {
      return { value: storable(value, 0) };
    } catch (error) {
      return { problem: (error as Error).message };
    }
  }
  return { problem: text.trim() === "" ? "the answer is empty" : "the answer is not valid JSON" };
}

function* candidates(text: string): Generator<string> {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  yield trimmed;
  const fence = /^```[^\n`]*\n([\s\S]*?)\n?```/m.exec(trimmed);
  if (fence !== null) yield fence[1]!;
  const start = trimmed.search(/[[{]/);
  if (start < 0) return;
  const end = trimmed.lastIndexOf(trimmed[start] === "{" ? "}" : "]");
  if (end > start) yield trimmed.slice(start, end + 1);
}

function storable(value: Json, depth: number): Json {
  if (depth > MAX_DEPTH) throw new Error(`the answer is nested deeper than ${MAX_DEPTH} levels`);
  if (typeof value === "string") return wellFormedText(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error("the answer holds a number that is too large");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((entry) => storable(entry, depth + 1));
  // Object.fromEntries defines properties and assigns none, so a key `__proto__` stays data.
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [wellFormedText(key), storable(entry, depth + 1)]));
}
