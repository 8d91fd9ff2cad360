import { FlowRunError, type FlowRunErrorOptions } from "@flow-run/spec";

/**
 * - `bad-request`: the URL, method or a header cannot be sent
 * - `address-not-allowed`: the filter refuses the address; the operator decides
 * - `unreachable`: no answer, or one that broke off; retryable unless the certificate is at fault
 * - `timeout`: the answer was not complete in time
 * - `answer-too-large`, `bad-answer`: an answer that cannot be taken
 */
export type OutboundErrorCode = "bad-request" | "address-not-allowed" | "unreachable" | "timeout" | "answer-too-large" | "bad-answer";

/** A request to the outside got no usable answer. Messages hold the host at most: never the path, the query, a header or the body. */
export class OutboundError extends FlowRunError {
  declare readonly code: OutboundErrorCode;

  constructor(code: OutboundErrorCode, message: string, options: Pick<FlowRunErrorOptions, "cause" | "retryable"> = {}) {
    super(code, message, options);
  }
}
