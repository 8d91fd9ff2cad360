import { FlowRunError, isProblemCode, PROBLEM_TYPE_PREFIX, PROBLEMS, type Problem, type ProblemCode } from "@flow-run/spec";
import type { Logger } from "pino";
import { RequestRefusal } from "./request-refusal.ts";

/** The HTTP answer that an error becomes. */
export interface ErrorResponse {
  problem: Problem;
  headers: Record<string, string>;
}

/** Codes of other rooms that mean one of the problems. */
const SAME_AS: Record<string, ProblemCode> = {
  "invalid-cursor": "malformed-request",
  "invalid-text": "invalid-input",
  "not-storable": "invalid-input",
  "database-full": "database-unavailable",
};

/** What Fastify refuses by itself. */
const FRAMEWORK: Record<string, [ProblemCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    "payload-too-large",
    "Send a smaller body; large data belongs into a store that the flow reads by reference.",
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["unsupported-media-type", "Send the body as JSON, with the header content-type: application/json."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["malformed-request", "The body is not as long as its content-length says."],
  FST_ERR_BAD_URL: ["malformed-request", "The path is not a valid URL path; encode special characters with %."],
  FST_ERR_MAX_PARAM_LENGTH: ["route-not-found", "A part of the path is too long to name anything."],
};

/** Problems whose answer is the same to the last byte whatever the caller asked about, so that it tells nothing. */
const TELLS_NOTHING: ReadonlySet<ProblemCode> = new Set(["unauthorized", "run-not-found", "key-not-found"]);

const DEFAULT_RETRY_AFTER_MS: Partial<Record<ProblemCode, number>> = {
  "database-unavailable": 1_000,
  "idempotency-in-progress": 1_000,
  "rate-limited": 1_000,
  "shutting-down": 1_000,
};

/** The one mapping of errors to problem documents. What is not meant for the caller is logged and answered with a bare 500. */
export function toErrorResponse(error: unknown, path: string, requestId: string, logger: Logger): ErrorResponse {
  if (FlowRunError.isInstance(error)) {
    const code = Object.hasOwn(SAME_AS, error.code) ? SAME_AS[error.code] : error.code;
    if (code === "database-unavailable") {
      // Why it does not answer names hosts and ports: that is for the log.
      logger.warn({ requestId, reason: error.message }, "database unavailable");
      return fromFlowRunError(
        error,
        code,
        path,
        "Send the request again in a moment, a start with the same Idempotency-Key. The server's log says what is wrong.",
      );
    }
    if (code !== undefined && isProblemCode(code) && code !== "internal-error") return fromFlowRunError(error, code, path, error.message);
  } else if (error instanceof Error) {
    const code = (error as { code?: unknown }).code;
    const known = typeof code === "string" && Object.hasOwn(FRAMEWORK, code) ? FRAMEWORK[code] : undefined;
    if (known !== undefined) return { problem: problemOf(known[0], known[1], path), headers: {} };
    const status = (error as { statusCode?: unknown }).statusCode;
    if (typeof status === "number" && status >= 400 && status < 500) {
      return { problem: problemOf("malformed-request", "The request did not arrive whole, or is not valid HTTP.", path), headers: {} };
    }
  }
  logger.error({ requestId, err: error }, "request failed");
  return {
    problem: problemOf("internal-error", `Report this with the request id ${requestId}; the server's log says more.`, path),
    headers: {},
  };
}

function fromFlowRunError(error: FlowRunError, code: ProblemCode, path: string, detail: string): ErrorResponse {
  const headers: Record<string, string> = error instanceof RequestRefusal ? { ...error.headers } : {};
  const retryAfterMs = error.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS[code];
  if (retryAfterMs !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  const problem = problemOf(code, detail, path);
  if (error instanceof RequestRefusal && error.errors !== undefined) problem.errors = error.errors;
  return { problem, headers };
}

/** A problem document; `path` is the request's, and is left out where the answer must tell nothing. */
export function problemOf(code: ProblemCode, detail: string, path?: string): Problem {
  const problem: Problem = { type: PROBLEM_TYPE_PREFIX + code, title: PROBLEMS[code].title, status: PROBLEMS[code].status, detail };
  if (path !== undefined && path.length <= 512 && !path.includes("frk_") && !TELLS_NOTHING.has(code)) problem.instance = path;
  return problem;
}
