import type { Json, TokenUsage } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";

/** Everything that can go wrong with one request to a model. Stable: the journal keeps them. */
export type ModelCallErrorCode =
  | "provider-unreachable"
  | "provider-timeout"
  | "rate-limited"
  | "provider-error"
  | "provider-rejected"
  | "unauthorized"
  | "content-filtered"
  | "bad-answer"
  | "answer-too-large"
  | "stream-interrupted"
  | "output-invalid"
  | "aborted";

export interface ModelCallErrorOptions {
  /** Whether the same request may succeed at the same target. Default: by code. */
  retryable?: boolean;
  /** Whether another target may succeed where this one did not. Default: by code. */
  fallsBack?: boolean;
  /** Milliseconds the provider asked us to wait. */
  retryAfterMs?: number;
  statusCode?: number;
  /** Tokens of a failed request that were billed all the same; null when unknown. */
  usage?: TokenUsage | null;
  rawUsage?: Json;
  /** Only errors of the system below (sockets, TLS, timers); never what a vendor's library threw, which carries the prompt. */
  cause?: unknown;
  details?: Record<string, unknown>;
}

/** A try at the same target may end better. */
const RETRYABLE: ReadonlySet<ModelCallErrorCode> = new Set([
  "provider-unreachable",
  "provider-timeout",
  "rate-limited",
  "provider-error",
  "bad-answer",
  "stream-interrupted",
]);

/** Another target may do what this one did not. A rejected request would be rejected there too; a filtered one shall not go shopping. */
const FALLS_BACK: ReadonlySet<ModelCallErrorCode> = new Set([...RETRYABLE, "unauthorized"]);

/** A request to a model failed. The message holds neither keys nor prompt content, whatever the vendor wrote. */
export class ModelCallError extends FlowRunError {
  declare readonly code: ModelCallErrorCode;
  readonly fallsBack: boolean;
  readonly statusCode: number | undefined;
  readonly usage: TokenUsage | null;
  readonly rawUsage: Json;

  constructor(code: ModelCallErrorCode, message: string, options: ModelCallErrorOptions = {}) {
    super(code, message, {
      retryable: options.retryable ?? RETRYABLE.has(code),
      ...(options.cause === undefined ? {} : { cause: options.cause }),
      ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
      ...(options.details === undefined ? {} : { details: options.details }),
    });
    this.fallsBack = options.fallsBack ?? FALLS_BACK.has(code);
    this.statusCode = options.statusCode;
    this.usage = options.usage ?? null;
    this.rawUsage = options.rawUsage ?? null;
  }

  static is(error: unknown): error is ModelCallError {
    return FlowRunError.isInstance(error) && "fallsBack" in error;
  }
}
