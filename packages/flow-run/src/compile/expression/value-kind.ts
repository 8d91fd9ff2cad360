import { Duration } from "./duration.ts";

/** The name of a value's kind, for messages. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a timestamp";
  if (value instanceof Duration) return "a duration";
  if (typeof value === "boolean") return "a bool";
  if (typeof value === "object") return "an object";
  return `a ${typeof value}`;
}
