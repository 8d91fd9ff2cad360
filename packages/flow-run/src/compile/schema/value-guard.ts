import type { Json } from "@flow-run/spec";
import { escapePointer, type ValueError } from "./plain-words.ts";

const MAX_DEPTH = 200;
const MAX_NODES = 1_000_000;

/** How large a value is, and why it must not go on to a validator, if so. */
export interface GuardedValue {
  nodes: number;
  error?: ValueError;
}

/** Refuses values that are nested too deep for recursive code, too large, or that have a key called `__proto__`. */
export function guardValue(value: Json): GuardedValue {
  const guarded: GuardedValue = { nodes: 0 };
  visit(value, "", 0, guarded);
  return guarded;
}

function visit(value: Json, pointer: string, depth: number, guarded: GuardedValue): void {
  guarded.nodes += 1;
  if (typeof value !== "object" || value === null || guarded.error !== undefined) return;
  if (depth >= MAX_DEPTH) {
    guarded.error = { pointer: "", message: `is nested more than ${MAX_DEPTH} deep` };
  } else if (guarded.nodes > MAX_NODES) {
    guarded.error = { pointer: "", message: `has more than ${MAX_NODES} parts` };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (typeof item === "object" && item !== null) visit(item, `${pointer}/${index}`, depth + 1, guarded);
      else guarded.nodes += 1;
    }
  } else {
    for (const key of Object.keys(value)) {
      if (key === "__proto__") guarded.error = { pointer: `${pointer}/__proto__`, message: "a property may not be called __proto__" };
      const item = value[key]!;
      if (typeof item === "object" && item !== null) visit(item, `${pointer}/${escapePointer(key)}`, depth + 1, guarded);
      else guarded.nodes += 1;
    }
  }
}
