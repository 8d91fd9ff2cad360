import { isUtf8 } from "node:buffer";
import { findJsonFault } from "./json-faults.ts";
import { RequestRefusal } from "./request-refusal.ts";

/**
 * The body of a request as a value that is safe to go further: valid UTF-8, valid JSON, and free of what `findJsonFault` names. An empty body is
 * undefined. Of keys that are repeated in one object the last one counts.
 */
export function parseJsonBody(bytes: Buffer, maxDepth: number): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new RequestRefusal("malformed-request", "The body is not valid UTF-8.");
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RequestRefusal("malformed-request", malformed(error));
  }
  const fault = findJsonFault(value, text, maxDepth);
  if (fault === null) return value;
  if (fault.code === "malformed-request") {
    throw new RequestRefusal(fault.code, `The body is nested too deeply: at most ${maxDepth} levels.`);
  }
  throw new RequestRefusal(fault.code, `The body cannot be taken: ${fault.detail}.`, {
    errors: [{ detail: fault.detail, pointer: fault.pointer }],
  });
}

/** V8's message quotes the body; only the position is fit for an answer that may end up in somebody's log. */
function malformed(error: unknown): string {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return position === undefined
    ? "The body is not valid JSON; it may have been cut off."
    : `The body is not valid JSON: see position ${position}.`;
}
