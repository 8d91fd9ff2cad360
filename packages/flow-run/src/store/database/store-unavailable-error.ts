import { FlowRunError } from "@flow-run/spec";

/** The database could not be reached, or did not answer in time. Whether the statement took effect is unknown: repeat it with the same key. */
export class StoreUnavailableError extends FlowRunError {
  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super("database-unavailable", message, { retryable: true, retryAfterMs: 1000, ...options });
  }
}
