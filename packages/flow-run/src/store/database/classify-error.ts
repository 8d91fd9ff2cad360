import { FlowRunError } from "@flow-run/spec";
import { StoreUnavailableError } from "./store-unavailable-error.ts";

/** SQLSTATEs after which the same statement may succeed: shutdown, crash, start-up, no slot, cancelled by a timeout, lock not available in time. */
const UNAVAILABLE_STATES = new Set([
  "57P01",
  "57P02",
  "57P03",
  "57P05",
  "57014",
  "55P03",
  "53300",
  "25P03",
  "25P04",
  "08000",
  "08001",
  "08003",
  "08004",
  "08006",
]);

const UNAVAILABLE_SOCKET_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EAI_AGAIN",
  "ENOTFOUND",
  "ENOENT", // a socket file that is not there (yet)
]);

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/**
 * What a driver's error means to the rest of the product. Decided by its code alone, never by its text; the driver's own connection errors
 * (pool timeout, "Connection terminated", "not queryable") are the ones that carry no code at all.
 */
export function classifyError(error: unknown): unknown {
  if (FlowRunError.isInstance(error)) return error;
  if (!(error instanceof Error)) return error;
  const code = codeOf(error);
  if (code === "53100") {
    return new FlowRunError("database-full", "The database has no disk space left. Free some on its volume; it recovers by itself.", {
      cause: error,
      retryable: true,
      retryAfterMs: 5000,
    });
  }
  if (code === "22021" || code === "22P05") {
    return new FlowRunError("invalid-text", "The text contains a character that the database cannot store (U+0000). Remove it.", {
      cause: error,
    });
  }
  const isTypeError = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
  if (code === undefined ? !isTypeError : UNAVAILABLE_STATES.has(code) || UNAVAILABLE_SOCKET_CODES.has(code)) {
    return new StoreUnavailableError(`The database does not answer: ${error.message || code}. The operation can be tried again.`, {
      cause: error,
    });
  }
  return error;
}

/** The same promise with its failure classified. Wraps driver calls only, never the caller's own work. */
export function classified<T>(call: Promise<T>): Promise<T> {
  return call.catch((error) => {
    throw classifyError(error);
  });
}
