import { z } from "zod";

/** Where the types of problems are documented; a type is this prefix and the problem's code. */
export const PROBLEM_TYPE_PREFIX = "https://flow-run.dev/problems/";

/** Every problem that a server can answer with: its HTTP status and its title, both stable. The code is also the code of the FlowRunError behind it. */
export const PROBLEMS = {
  "malformed-request": { status: 400, title: "The request cannot be understood" },
  unauthorized: { status: 401, title: "The request carries no valid key" },
  "budget-exceeded": { status: 402, title: "The budget is used up" },
  "insufficient-scope": { status: 403, title: "The key may not do this" },
  "environment-mismatch": { status: 403, title: "The key belongs to another environment" },
  "foreign-origin": { status: 403, title: "The request comes from another site" },
  "route-not-found": { status: 404, title: "There is no such route" },
  "flow-not-found": { status: 404, title: "There is no such flow" },
  "run-not-found": { status: 404, title: "There is no such run" },
  "release-not-found": { status: 404, title: "There is no such release" },
  "key-not-found": { status: 404, title: "There is no such key" },
  "delivery-not-found": { status: 404, title: "There is no such delivery" },
  "method-not-allowed": { status: 405, title: "The route does not know this method" },
  "request-timeout": { status: 408, title: "The request took too long to arrive" },
  "idempotency-in-progress": { status: 409, title: "A request with this Idempotency-Key is under way" },
  "gate-failed": { status: 409, title: "A gate does not let this release pass" },
  "stale-plan": { status: 409, title: "The environment has changed since the plan was made" },
  "not-waiting": { status: 409, title: "The run does not wait for this signal" },
  "not-cancellable": { status: 409, title: "The run has ended" },
  "not-replayable": { status: 409, title: "The run cannot be replayed like this" },
  "too-much-feedback": { status: 409, title: "The run takes no more feedback" },
  "webhooks-not-configured": { status: 409, title: "The server cannot keep the secret of webhooks" },
  "payload-too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "The body is not JSON" },
  "invalid-input": { status: 422, title: "The input does not fit" },
  "invalid-bundle": { status: 422, title: "The bundle cannot be released" },
  "idempotency-key-reused": { status: 422, title: "The Idempotency-Key was used for another request" },
  "rate-limited": { status: 429, title: "Too many requests" },
  "headers-too-large": { status: 431, title: "The header is too large" },
  "internal-error": { status: 500, title: "The server made a mistake" },
  "database-unavailable": { status: 503, title: "The database does not answer" },
  "shutting-down": { status: 503, title: "The server is shutting down" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** One of several mistakes of one type. */
export const problemErrorSchema = z.object({
  detail: z.string(),
  /** JSON Pointer into the body that was sent. */
  pointer: z.string().optional(),
  /** Name of the query parameter or header that is wrong. */
  parameter: z.string().optional(),
});
export type ProblemError = z.infer<typeof problemErrorSchema>;

/** Problem details (RFC 9457), the body of every answer that is not a success. */
export const problemSchema = z.object({
  /** `https://flow-run.dev/problems/` and the code. */
  type: z.string(),
  title: z.string(),
  status: z.int(),
  /** What happened this time, and how to mend it. */
  detail: z.string(),
  /** Path of the request; left out where it would tell more than the caller may know. */
  instance: z.string().optional(),
  errors: z.array(problemErrorSchema).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** The code at the end of a problem's type; null for a type that is not ours. */
export function problemCode(type: string): string | null {
  return type.startsWith(PROBLEM_TYPE_PREFIX) ? type.slice(PROBLEM_TYPE_PREFIX.length) : null;
}
