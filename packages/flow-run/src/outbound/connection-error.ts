import { OutboundError } from "./outbound-error.ts";

/** Certificates do not get better by asking again. */
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)|EPROTO/;

/** What a socket's failure means: no answer began (`before`), or it broke off (`during`). Errors of the filter stay what they are. */
export function connectionError(error: Error, host: string, when: "before" | "during"): OutboundError {
  if (error instanceof OutboundError) return error;
  const code = systemCode(error);
  if (code === "UND_ERR_INVALID_ARG")
    return new OutboundError("bad-request", "The request cannot be sent as it is written.", { cause: error });
  if (TLS_CODES.test(code))
    return new OutboundError("unreachable", `The certificate of ${host} is not trusted (${code}).`, { cause: error });
  return new OutboundError(
    "unreachable",
    when === "before" ? `${host} cannot be reached (${code}).` : `The connection to ${host} broke in the middle of the answer (${code}).`,
    { cause: error, retryable: true },
  );
}

/** Several addresses were tried: the first failure speaks for all. */
function systemCode(error: Error): string {
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [];
  return (error as NodeJS.ErrnoException).code ?? (first as NodeJS.ErrnoException | undefined)?.code ?? error.name;
}
