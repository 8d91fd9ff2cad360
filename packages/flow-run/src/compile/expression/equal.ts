import { Duration } from "./duration.ts";
import type { Frame, Site } from "./evaluation.ts";

/** Deep equality of values; numbers by value, no coercion. Pays for what it compares. */
export function equal(a: unknown, b: unknown, frame: Frame, site: Site): boolean {
  if (a === b) return true;
  if (typeof a === "string" && typeof b === "string") {
    // Texts of different lengths are told apart at once.
    if (a.length === b.length) site.spend(frame, a.length >> 10);
    return false;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) {
      site.spend(frame, 1);
      if (!equal(a[i], b[i], frame, site)) return false;
    }
    return true;
  }
  if (Array.isArray(b)) return false;
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof Duration) return b instanceof Duration && a.milliseconds === b.milliseconds;
  if (b instanceof Date || b instanceof Duration) return false;
  const keys = Object.keys(a);
  site.spend(frame, keys.length);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false;
    if (!equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], frame, site)) return false;
  }
  return true;
}
