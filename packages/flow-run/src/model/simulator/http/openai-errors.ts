import type { Json } from "@flow-run/spec";

const TYPES: { [status: number]: [type: string, code: string | null] } = {
  400: ["invalid_request_error", null],
  401: ["invalid_request_error", "invalid_api_key"],
  403: ["invalid_request_error", "unsupported_country_region_territory"],
  404: ["invalid_request_error", "model_not_found"],
  413: ["invalid_request_error", "request_too_large"],
  429: ["requests", "rate_limit_exceeded"],
};

/** OpenAI's error shape, the same for both of its APIs. */
export function openaiError(status: number, message: string): Json {
  const [type, code] = TYPES[status] ?? (status >= 500 ? ["server_error", null] : ["invalid_request_error", null]);
  return { error: { message, type, param: null, code } };
}

/** OpenAI says 503 where Anthropic says 529. */
export function openaiStatus(status: number): number {
  return status === 529 ? 503 : status;
}
