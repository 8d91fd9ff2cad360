import type { Problem } from "@flow-run/spec";

/** The mark by which `FlowRunError.isInstance` knows its own; taken by name, so that this package needs no other at run time. */
const MARKER = Symbol.for("flow-run.error");

export interface ApiErrorOptions {
  cause?: unknown;
  status?: number;
  problem?: Problem;
  retryable?: boolean;
  retryAfterMs?: number;
  requestId?: string;
}

/**
 * A request that failed. `code` is the end of the problem's type (`flow-not-found`, `invalid-input`…), `server-unreachable` when no answer came, or
 * `unexpected-answer` when what answered is no flow-run server. A `FlowRunError` too, by `FlowRunError.isInstance`.
 */
export class ApiError extends Error {
  readonly [MARKER] = true;
  readonly code: string;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** The problem document of the answer, with `errors` where there are several mistakes. */
  readonly problem: Problem | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** For the server's log. */
  readonly requestId: string | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: string, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ApiError";
    this.code = code;
    this.status = options.status;
    this.problem = options.problem;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.requestId = options.requestId;
    this.details = options.problem?.errors === undefined ? undefined : { errors: options.problem.errors };
  }
}
