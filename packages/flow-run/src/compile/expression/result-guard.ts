import type { Site } from "./evaluation.ts";

const MAX_ELEMENTS = 1_000_000;
const MAX_CHARACTERS = 16_000_000;

/**
 * A check on the size of what an expression makes. A value that shares parts can be small in memory and endless as JSON (a list of ten times the same
 * list of ten times …). Undefined for an expression that only hands on what is there.
 */
export function resultGuard(source: string, site: Site): ((value: unknown) => void) | undefined {
  if (!/[[{(]/.test(source)) return undefined;
  return (value) => {
    if (typeof value !== "object" || value === null) return;
    let elements = MAX_ELEMENTS;
    let characters = MAX_CHARACTERS;
    const visit = (part: unknown): void => {
      if (typeof part === "string") characters -= part.length;
      else if (typeof part === "object" && part !== null) {
        const inner = Array.isArray(part) ? part : Object.values(part);
        elements -= inner.length;
        if (elements >= 0) for (const element of inner) visit(element);
      }
      if (elements < 0 || characters < 0) site.fail("too-much-work", "The expression makes a value that is too large.");
    };
    visit(value);
  };
}
