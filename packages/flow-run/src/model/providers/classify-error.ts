import { APICallError, UnsupportedFunctionalityError } from "@ai-sdk/provider";
import type { Json, TokenUsage } from "@flow-run/spec";
import { abortedError } from "../http/http-errors.ts";
import type { ModelRequest } from "../model.ts";
import { ModelCallError } from "../model-call-error.ts";
import { rateLimitPauseMs } from "./rate-limit-pause.ts";
import { retryAfterMs } from "./retry-after.ts";
import { saidInBody } from "./said-in-body.ts";
import { vendorMessage } from "./vendor-message.ts";

export interface FailedCall {
  provider: string;
  request: ModelRequest;
  signal: AbortSignal;
  /** Must not appear in a message. */
  secrets: readonly string[];
  /** Billed in spite of the failure, as far as the answer told. */
  usage: TokenUsage | null;
  rawUsage: Json;
}

/** Whatever a vendor's library threw or streamed, as one of our errors. What it carried (prompt, headers) is left behind. */
export function classifyError(error: unknown, call: FailedCall): ModelCallError {
  const ours = findOurs(error);
  if (call.signal.aborted) return withUsage(ours ?? abortedError(call.signal), call);
  if (ours !== null) return withUsage(ours, call);
  if (UnsupportedFunctionalityError.isInstance(error)) return unsendable(error, call);
  const facts = factsOf(error);
  return facts === null ? badAnswer(error, call) : refused(facts, call);
}

/** The library knows that the vendor would not take it: nothing was sent. */
function unsendable({ functionality }: UnsupportedFunctionalityError, call: FailedCall): ModelCallError {
  const what = vendorMessage(functionality, call.request, call.secrets);
  return new ModelCallError("provider-rejected", `Provider "${call.provider}" does not take ${what}. Change the prompt's messages.`, {
    fallsBack: true,
  });
}

interface RefusalFacts {
  status: number;
  message: string;
  body: string;
  headers: { [name: string]: string } | undefined;
}

/** Groq answers 400 when it was the model that did not keep to the format. */
const MISSHAPEN_ANSWER = /"json_validate_failed"/;
/** Mistral and Bedrock answer 400 for a model that they do not have; another target may. */
const UNKNOWN_MODEL = /"invalid_model"|model identifier is invalid|on-demand throughput isn.t supported/;

function refused({ status, message, body, headers }: RefusalFacts, call: FailedCall): ModelCallError {
  const who = `Provider "${call.provider}"`;
  const now = Date.now();
  const wait = retryAfterMs(headers, now) ?? rateLimitPauseMs(headers, now);
  const facts = {
    statusCode: status,
    usage: call.usage,
    rawUsage: call.rawUsage,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  };
  // What a vendor writes about a bad key may quote it: 401 and 403 speak for themselves.
  if (status === 401)
    return new ModelCallError("unauthorized", `${who} refused the key (401). Check its apiKey and the secret behind it.`, facts);
  if (status === 403) return new ModelCallError("unauthorized", `${who} does not allow this model or request with this key (403).`, facts);
  const said = vendorMessage(message || saidInBody(body), call.request, call.secrets);
  const quote = said === "" ? "" : `: ${said}`;
  if (status === 429) {
    const spent = /insufficient_quota|billing_hard_limit/.test(body);
    return new ModelCallError(
      "rate-limited",
      spent ? `${who}: the account's quota is used up (429)${quote}` : `${who} limits the rate (429)${quote}`,
      {
        ...facts,
        retryable: !spent,
      },
    );
  }
  if (status === 408) return new ModelCallError("provider-timeout", `${who} timed out by itself (408)${quote}`, facts);
  // Bedrock says 424 when the model failed, Groq 498 when a tier is full.
  if (status === 409 || status === 424 || status === 425 || status === 498 || status >= 500)
    return new ModelCallError("provider-error", `${who} failed (${status})${quote}`, facts);
  if (/content_filter|content_policy|ResponsibleAIPolicyViolation/i.test(body)) {
    return new ModelCallError("content-filtered", `${who} refused the prompt for its content (${status}).`, facts);
  }
  if (MISSHAPEN_ANSWER.test(body)) {
    return new ModelCallError("bad-answer", `${who}: the model's answer was not the JSON that it was asked for (${status}).`, facts);
  }
  return new ModelCallError("provider-rejected", `${who} rejected the request (${status})${quote}`, {
    ...facts,
    fallsBack: status === 402 || status === 404 || UNKNOWN_MODEL.test(body),
  });
}

function badAnswer(error: unknown, call: FailedCall): ModelCallError {
  return new ModelCallError(
    "bad-answer",
    `Provider "${call.provider}" sent an answer that is not in its own format (${describe(error)}).`,
    {
      usage: call.usage,
      rawUsage: call.rawUsage,
    },
  );
}

/** Names the kind of defect without a character of the answer. */
function describe(error: unknown): string {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    if (/JSONParseError/.test(current.name)) return "not JSON";
    if (/TypeValidationError/.test(current.name)) return "unexpected fields";
    if (/InvalidResponseData/.test(current.name)) return "no choices";
    if (/EmptyResponseBody/.test(current.name)) return "empty";
  }
  return "unreadable";
}

function findOurs(error: unknown): ModelCallError | null {
  for (
    let current = error, depth = 0;
    typeof current === "object" && current !== null && depth < 8;
    current = (current as Error).cause, depth++
  ) {
    if (ModelCallError.is(current)) return current;
  }
  return null;
}

/** What the vendor said when it refused; null when it is no refusal but something that cannot be read. */
function factsOf(error: unknown): RefusalFacts | null {
  if (APICallError.isInstance(error)) {
    const { statusCode: status, message, responseBody, data, responseHeaders: headers } = error;
    return status === undefined || status < 400 ? null : { status, message, body: textOf(responseBody ?? data), headers };
  }
  if (error instanceof Error) return null;
  // An error event inside a stream: a text, or { message, type, code, statusCode, isRetryable, data }.
  const { statusCode, message, data } = (typeof error === "object" && error !== null ? error : { message: error }) as {
    statusCode?: unknown;
    message?: unknown;
    data?: unknown;
  };
  return {
    status: typeof statusCode === "number" && statusCode >= 400 ? statusCode : 500,
    message: typeof message === "string" ? message : "",
    body: textOf(data),
    headers: undefined,
  };
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}

function withUsage(error: ModelCallError, call: FailedCall): ModelCallError {
  if (call.usage === null || error.usage !== null) return error;
  return new ModelCallError(error.code, error.message, {
    retryable: error.retryable,
    fallsBack: error.fallsBack,
    cause: error.cause,
    usage: call.usage,
    rawUsage: call.rawUsage,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.statusCode === undefined ? {} : { statusCode: error.statusCode }),
  });
}
