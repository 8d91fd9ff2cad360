import { FlowRunError, type ProblemCode, type ProblemError } from "@flow-run/spec";

export interface RequestRefusalOptions {
  /** Several mistakes of one kind, each with its place. */
  errors?: ProblemError[];
  headers?: Record<string, string>;
  retryAfterMs?: number;
  cause?: unknown;
}

/** A request that the server does not carry out: the code picks status and title, the message tells the caller how to mend it. */
export class RequestRefusal extends FlowRunError {
  readonly errors: ProblemError[] | undefined;
  readonly headers: Record<string, string> | undefined;

  constructor(code: ProblemCode, message: string, options: RequestRefusalOptions = {}) {
    super(code, message, { cause: options.cause, retryAfterMs: options.retryAfterMs });
    this.errors = options.errors;
    this.headers = options.headers;
  }
}
