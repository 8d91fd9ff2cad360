import { FlowRunError } from "@flow-run/spec";

const MAX_DEPTH = 1_000;

/**
 * JSON with sorted keys and no blanks: RFC 8785, save that text with half a surrogate pair is escaped where the RFC refuses it, because an
 * author may write such text. Properties that are undefined are left out. Throws FlowRunError `too-deep` beyond 1,000 levels.
 */
export function canonicalJson(value: unknown): string {
  // Sorting a copy and leaving the writing to the engine takes half the time of writing in JavaScript.
  return JSON.stringify(sorted(value, 0));
}

function sorted(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) throw new FlowRunError("too-deep", `A value is nested more than ${MAX_DEPTH} deep. Take it apart.`);
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1));
  const copy: { [key: string]: unknown } = {};
  for (const key of Object.keys(value).sort()) {
    const item = sorted((value as { [key: string]: unknown })[key], depth + 1);
    // Assigned, this name would set the prototype.
    if (key === "__proto__") Object.defineProperty(copy, key, { value: item, enumerable: true });
    else copy[key] = item;
  }
  return copy;
}
