const MARKER = Symbol.for("flow-run.error");

export interface FlowRunErrorOptions {
  cause?: unknown;
  /** Whether the same operation may succeed when tried again. Default false. */
  retryable?: boolean;
  /** Milliseconds the other side asked us to wait before the next try. */
  retryAfterMs?: number;
  /** Plain facts for machines; never secrets, never prompt content. */
  details?: Record<string, unknown>;
}

/**
 * An operation failed. `code` is stable and kebab-case; `message` says what happened and what to do next.
 * Anything else that is thrown is a bug and must not be swallowed.
 */
export class FlowRunError extends Error {
  readonly [MARKER] = true;
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: string, message: string, options: FlowRunErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }

  /** Recognises the error also when two copies of this package are loaded. */
  static isInstance(error: unknown): error is FlowRunError {
    return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[MARKER] === true;
  }
}
