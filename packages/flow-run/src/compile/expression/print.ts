import { Duration } from "./duration.ts";
import { type Frame, MAX_TEXT, type Site } from "./evaluation.ts";

/** A value as text inside a template: text as it is, nothing for null and missing, lists and objects as compact JSON. */
export function print(value: unknown, frame: Frame, site: Site): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value === 0 ? 0 : value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Duration) return value.toString();
  return printJson(value, frame, site);
}

/**
 * Compact JSON. Its size is paid for before it is made: values share parts, so that a small value can be a huge text.
 */
export function printJson(value: unknown, frame: Frame, site: Site): string {
  const length = jsonLength(value, frame, site);
  site.spendText(frame, Math.min(length, MAX_TEXT + 1));
  return JSON.stringify(value) ?? "null";
}

/** At least half the length of the JSON; spends one for each element visited. */
function jsonLength(value: unknown, frame: Frame, site: Site): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null || value instanceof Date || value instanceof Duration) return 4;
  let length = 2;
  if (Array.isArray(value)) {
    site.spend(frame, value.length);
    for (const element of value) length = limited(length + 1 + jsonLength(element, frame, site), site);
    return length;
  }
  const keys = Object.keys(value);
  site.spend(frame, keys.length);
  for (const key of keys) {
    length = limited(length + key.length + 4 + jsonLength((value as Record<string, unknown>)[key], frame, site), site);
  }
  return length;
}

function limited(length: number, site: Site): number {
  if (length > MAX_TEXT) site.fail("too-much-work", `The expression makes a text of more than ${MAX_TEXT} characters.`);
  return length;
}
