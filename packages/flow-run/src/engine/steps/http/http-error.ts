import { FlowRunError } from "@flow-run/spec";
import type { HttpAnswer } from "../../http-caller.ts";
import { excerptOf } from "./read-answer.ts";

const EXCERPT = 300;

/** An answer outside 2xx. `what` is the request as it may be shown. */
export function httpError(what: string, answer: HttpAnswer, redact: (text: string) => string, nowMs: number): FlowRunError {
  const { status } = answer;
  if (status >= 300 && status < 400 && answer.headers.location !== undefined) {
    return new FlowRunError(
      "http-error",
      `${what} answered ${status} and points to ${redact(answer.headers.location).slice(0, EXCERPT)}. Redirects are not followed: write that URL if it is the right one.`,
      { details: { status } },
    );
  }
  const excerpt = excerptOf(answer, redact, EXCERPT);
  return new FlowRunError("http-error", `${what} answered ${status}${excerpt === "" ? "" : `: ${excerpt}`}`, {
    retryable: [408, 425, 429].includes(status) || status >= 500,
    retryAfterMs: retryAfterMs(answer.headers["retry-after"], nowMs),
    details: { status },
  });
}

/** Seconds or a date; nothing for what is neither, 0 for what is past. */
function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined || value.trim() === "") return undefined;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - nowMs : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
