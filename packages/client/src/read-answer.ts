import type { Problem } from "@flow-run/spec";
import { ApiError } from "./api-error.ts";

const PROBLEM_TYPE_PREFIX = "https://flow-run.dev/problems/";

/** The JSON of a successful answer; undefined for one without a body. Throws `ApiError` for all others. */
export async function readAnswer(response: Response): Promise<unknown> {
  if (response.ok && response.status !== 204) {
    try {
      return await response.json();
    } catch (error) {
      throw unexpected(response, error);
    }
  }
  if (response.ok) return undefined;
  throw await readProblem(response);
}

/** The error that an answer without success means. */
export async function readProblem(response: Response): Promise<ApiError> {
  const retryable = response.status === 429 || response.status === 503 || response.status === 502 || response.status === 504;
  const options = {
    status: response.status,
    retryable,
    retryAfterMs: retryAfterMs(response),
    requestId: response.headers.get("x-request-id") ?? undefined,
  };
  const problem = (await response.json().catch(() => null)) as Problem | null;
  if (typeof problem?.type !== "string" || !problem.type.startsWith(PROBLEM_TYPE_PREFIX)) return unexpected(response, undefined, options);
  const code = problem.type.slice(PROBLEM_TYPE_PREFIX.length);
  return new ApiError(code, `${problem.title}: ${problem.detail}${mistakes(problem)}`, { ...options, problem });
}

function mistakes(problem: Problem): string {
  const lines = (problem.errors ?? []).map((error) => `\n  ${[error.pointer ?? error.parameter, error.detail].filter(Boolean).join(": ")}`);
  return lines.join("");
}

function unexpected(response: Response, cause?: unknown, options: object = {}): ApiError {
  return new ApiError(
    "unexpected-answer",
    `${new URL(response.url).origin} answered ${response.status}, but not as a flow-run server does. Check the url, and what stands between here and there.`,
    { status: response.status, ...options, cause },
  );
}

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
