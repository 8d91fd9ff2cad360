import type { Json } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";

/** UTF-16 units of JSON that the input of a step, its output, and the output of a run may take each. */
export const LARGEST_VALUE = 16_000_000;

/** How deep lists and objects may stand inside each other; far from the end of any stack, ours or the database's. */
export const DEEPEST_VALUE = 1_000;

/**
 * About how many UTF-16 units the value takes as JSON. Throws FlowRunError `too-large` or `too-nested` for one that a record cannot hold, and looks no
 * further than that: values share parts, so that one can be small in memory and endless as JSON.
 */
export function measureValue(what: string, value: Json): number {
  let size = 0;
  const visit = (part: Json, depth: number): void => {
    if (typeof part === "string") size += part.length + 2;
    else if (typeof part !== "object" || part === null) size += 4;
    else {
      if (depth >= DEEPEST_VALUE) throw tooNested(what);
      if (Array.isArray(part)) {
        size += part.length + 2;
        for (const element of part) {
          if (size > LARGEST_VALUE) return;
          visit(element, depth + 1);
        }
      } else {
        size += 2;
        for (const key in part) {
          if (size > LARGEST_VALUE) return;
          size += key.length + 4;
          visit(part[key]!, depth + 1);
        }
      }
    }
  };
  visit(value, 0);
  if (size > LARGEST_VALUE) throw tooLarge(what);
  return size;
}

/** The same for a value's JSON: characters that have to be escaped make it longer than it was measured. */
export function checkLength(what: string, text: string): void {
  if (text.length > LARGEST_VALUE) throw tooLarge(what);
}

function tooLarge(what: string): FlowRunError {
  return new FlowRunError(
    "too-large",
    `The ${what} takes more than ${LARGEST_VALUE / 1e6} MB as JSON, the most that a record holds. Keep large data elsewhere, and pass on where it is.`,
  );
}

function tooNested(what: string): FlowRunError {
  return new FlowRunError("too-nested", `The ${what} is nested more than ${DEEPEST_VALUE} deep, the most that a record holds.`);
}
