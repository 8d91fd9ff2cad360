import { ModelCallError } from "../model-call-error.ts";

/** Certificates do not get better by asking again. */
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)|EPROTO/;

/** No answer began: refused, reset, not found, no TLS. */
export function unreachableError(error: Error): ModelCallError {
  const code = systemCode(error);
  if (code === "UND_ERR_INVALID_ARG") return unsendableError(error);
  const tls = TLS_CODES.test(code);
  return new ModelCallError(
    "provider-unreachable",
    `The provider cannot be reached (${code}${tls ? ", its certificate is not trusted" : ""}).`,
    {
      retryable: !tls,
      cause: error,
    },
  );
}

/** The settings make no request: no time will change that. */
export function unsendableError(error: unknown): ModelCallError {
  return new ModelCallError("provider-unreachable", "The request cannot be sent: check the provider's baseUrl and headers.", {
    retryable: false,
    cause: error,
  });
}

/** An answer began and did not end. */
export function interruptedError(error: Error): ModelCallError {
  return new ModelCallError("stream-interrupted", `The connection broke in the middle of the answer (${systemCode(error)}).`, {
    cause: error,
  });
}

export function abortedError(signal: AbortSignal): ModelCallError {
  return ModelCallError.is(signal.reason)
    ? signal.reason
    : new ModelCallError("aborted", "The call was aborted.", { cause: signal.reason });
}

export function tooLargeError(maxBytes: number): ModelCallError {
  return new ModelCallError("answer-too-large", `The answer is larger than ${maxBytes} bytes and was cut off.`);
}

/** Answers that are refused by their head alone: redirects, and web pages where an API should be. */
export function refusalOf(status: number, headers: Record<string, string | string[] | undefined>): ModelCallError | null {
  if (status >= 300 && status < 400) {
    return new ModelCallError(
      "provider-rejected",
      `The provider redirects to ${hostOf(headers.location)}; redirects are not followed, because the key would go along. Set baseUrl to the final address.`,
      {
        statusCode: status,
        fallsBack: true,
      },
    );
  }
  if (status < 300 && String(headers["content-type"] ?? "").includes("text/html")) {
    return new ModelCallError("bad-answer", "The provider answered with a web page instead of JSON. Check its baseUrl.", {
      statusCode: status,
    });
  }
  return null;
}

/** `ECONNREFUSED` and the like; addresses tried side by side hide it in an AggregateError. */
function systemCode(error: unknown): string {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    const { code } = current as { code?: unknown };
    if (typeof code === "string" && code !== "") return code;
    const inner = (current as AggregateError).errors?.[0];
    if (inner !== undefined) return systemCode(inner);
  }
  return "unknown error";
}

function hostOf(location: string | string[] | undefined): string {
  try {
    return new URL(String(location)).host;
  } catch {
    return "another address";
  }
}
