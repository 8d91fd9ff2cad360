import { FlowRunError } from "@flow-run/spec";

/** Where a page of runs ended: microseconds since 1970 (the database's own precision) and the id. */
export interface RunCursor {
  createdAtMicros: string;
  id: string;
}

const LONGEST = 400;

export function writeCursor(cursor: RunCursor): string {
  return Buffer.from(JSON.stringify([cursor.createdAtMicros, cursor.id])).toString("base64url");
}

export function readCursor(text: string): RunCursor {
  if (text.length <= LONGEST && /^[\w-]+$/.test(text)) {
    try {
      const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
      if (Array.isArray(value) && value.length === 2) {
        const [createdAtMicros, id] = value as unknown[];
        if (typeof createdAtMicros === "string" && /^\d{1,17}$/.test(createdAtMicros) && typeof id === "string" && !id.includes("\u0000")) {
          return { createdAtMicros, id };
        }
      }
    } catch {
      // falls through to the one error
    }
  }
  throw new FlowRunError(
    "invalid-cursor",
    "The cursor is not one that a page of runs gave out. Pass `nextCursor` as it came, or none for the first page.",
  );
}
