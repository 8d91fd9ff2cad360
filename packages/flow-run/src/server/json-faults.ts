import type { ProblemCode } from "@flow-run/spec";
import { pointerOf } from "./json-pointer.ts";

/** Why a parsed body cannot be taken, and where. */
export interface JsonFault {
  code: Extract<ProblemCode, "malformed-request" | "invalid-input">;
  detail: string;
  pointer: string;
}

interface Found {
  code: JsonFault["code"];
  detail: string;
  /** From the fault up to the root. */
  path: (string | number)[];
}

/**
 * Looks for what JSON can spell but what would be dangerous, or silently changed, further in: too many levels, `__proto__` keys, text that no database
 * stores (NUL, half of a surrogate pair), numbers that are not what was written (1e400, 9007199254740993). null when there is none.
 */
export function findJsonFault(value: unknown, text: string, maxDepth: number): JsonFault | null {
  const seen = { bigInteger: false };
  let found = visit(value, maxDepth, seen);
  // Rare: only the text can tell whether a big integer was written exactly as it was read.
  if (found === null && seen.bigInteger) found = visit(withInexactIntegersInfinite(text), maxDepth, seen);
  return found === null ? null : { code: found.code, detail: found.detail, pointer: pointerOf(found.path.reverse()) };
}

function visit(value: unknown, levelsLeft: number, seen: { bigInteger: boolean }): Found | null {
  if (typeof value === "string") return textFault(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value))
      return { code: "invalid-input", detail: "the number is too large to be kept exactly; send it as a string", path: [] };
    if (!Number.isSafeInteger(value) && Number.isInteger(value)) seen.bigInteger = true;
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  if (levelsLeft === 0) return { code: "malformed-request", detail: "the body is nested too deeply", path: [] };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = visit(value[index], levelsLeft - 1, seen);
      if (found !== null) return within(found, index);
    }
    return null;
  }
  for (const key of Object.keys(value)) {
    if (key === "__proto__") return { code: "invalid-input", detail: "a field may not be called __proto__", path: [key] };
    const found = textFault(key) ?? visit((value as Record<string, unknown>)[key], levelsLeft - 1, seen);
    if (found !== null) return within(found, key);
  }
  return null;
}

function textFault(text: string): Found | null {
  if (text.includes("\u0000")) return { code: "invalid-input", detail: "text may not contain the character U+0000", path: [] };
  if (!text.isWellFormed())
    return { code: "invalid-input", detail: "text contains half of a surrogate pair, which is no character", path: [] };
  return null;
}

function within(found: Found, key: string | number): Found {
  // A pointer into a hundred levels helps nobody; the outermost dozen do.
  if (found.path.length >= 12) found.path.shift();
  found.path.push(key);
  return found;
}

type SourceReviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/** Parses again with every integer that would be written back differently replaced by Infinity. */
function withInexactIntegersInfinite(text: string): unknown {
  const reviver: SourceReviver = (_key, value, context) =>
    typeof value === "number" &&
    !Number.isSafeInteger(value) &&
    context.source !== undefined &&
    /^-?\d{1,400}$/.test(context.source) &&
    BigInt(context.source) !== BigInt(value) &&
    JSON.stringify(value) !== context.source
      ? Number.POSITIVE_INFINITY
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}
