import { lookup } from "node:dns/promises";
import type { Agent, Dispatcher } from "undici";
import { checkHeaders, checkMethod, checkUrl } from "./check-request.ts";
import { connectionError } from "./connection-error.ts";
import { createAgent } from "./create-agent.ts";
import type { ResolveName } from "./guarded-lookup.ts";
import type { NetworkPermission } from "./network-permission.ts";
import { OutboundError } from "./outbound-error.ts";
import { ACCEPTED_ENCODINGS, readBeginning, readBody } from "./read-body.ts";

export type { NetworkPermission } from "./network-permission.ts";

export interface OutboundOptions {
  allowPrivateNetwork: NetworkPermission;
  /** Longest answer, on the wire and unpacked. Default 10 MB. */
  maxBodyBytes?: number;
  /** Default 10,000. */
  connectTimeoutMs?: number;
  /** Certificate authorities to trust besides the system's (PEM). */
  ca?: string;
  /** All addresses of a name. Default: the system's. */
  resolve?: ResolveName;
}

export interface OutboundRequest {
  method: string;
  /** Absolute, http or https. */
  url: string;
  headers?: { readonly [name: string]: string };
  body?: string | Uint8Array | null;
  /** From the call to the last byte of the answer. Default 30,000; null: `signal` alone bounds it. */
  timeoutMs?: number | null;
  /** Aborting rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Reads this much of the answer's body and leaves the rest, for those who want the status; the answer is then asked for uncompressed. */
  cutBodyAt?: number;
}

export interface OutboundAnswer {
  status: number;
  /** Names in lower case; several of one name are joined by ", ". */
  headers: { [name: string]: string };
  /** Decompressed. */
  body: Uint8Array;
}

export interface Outbound {
  /** One request, one answer of whatever status; redirects are answers like others and are not followed. Throws OutboundError. */
  request(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Breaks off what is under way. */
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** The way out for requests whose address is not the operator's. Sockets are kept and shared; whoever creates it closes it. */
export function createOutbound(options: OutboundOptions): Outbound {
  const { allowPrivateNetwork, maxBodyBytes = 10_000_000, resolve = (hostname) => lookup(hostname, { all: true }) } = options;
  // undici is loaded with the first request: most commands and many servers make none.
  let agent: Promise<Agent> | null = null;
  let closed = false;
  return {
    async request(request) {
      if (closed) throw new OutboundError("unreachable", "The process is ending and makes no more requests.", { retryable: true });
      checkMethod(request.method);
      const url = checkUrl(request.url, allowPrivateNetwork);
      const headers = checkHeaders(request.headers ?? {});
      headers["user-agent"] ??= "flow-run";
      headers.accept ??= "*/*";
      if (request.cutBodyAt === undefined) headers["accept-encoding"] ??= ACCEPTED_ENCODINGS;
      agent ??= createAgent({ ...options, resolve });
      const dispatcher = await agent;
      const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = request;
      return withinTime(url.host, timeoutMs, signal, (bounded) =>
        exchange(dispatcher, url, { ...request, headers }, request.cutBodyAt ?? null, maxBodyBytes, bounded),
      );
    },
    async close() {
      closed = true;
      await (await agent)?.destroy();
    },
  };
}

async function exchange(
  dispatcher: Dispatcher,
  url: URL,
  { method, headers, body }: OutboundRequest & { headers: { [name: string]: string } },
  cutBodyAt: number | null,
  maxBodyBytes: number,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  let response: Dispatcher.ResponseData;
  try {
    response = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: method as Dispatcher.HttpMethod,
      headers,
      body: body ?? null,
      signal,
    });
  } catch (error) {
    throw connectionError(error as Error, url.hostname, "before");
  }
  try {
    const answered = joinHeaders(response.headers);
    const encoding = (answered["content-encoding"] ?? "").trim().toLowerCase();
    const bytes =
      cutBodyAt === null ? await readBody(response.body, encoding, maxBodyBytes) : await readBeginning(response.body, cutBodyAt);
    return { status: response.statusCode, headers: answered, body: bytes };
  } catch (error) {
    response.body.destroy();
    throw connectionError(error as Error, url.hostname, "during");
  }
}

function joinHeaders(headers: { [name: string]: string | string[] | undefined }): { [name: string]: string } {
  const joined: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined.push([name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]);
  }
  return Object.fromEntries(joined);
}

/** A deadline over everything, so that a receiver which sends a byte now and then holds nobody up. */
async function withinTime<T>(
  host: string,
  timeoutMs: number | null,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const forward = () => controller.abort(outer!.reason);
  outer?.addEventListener("abort", forward, { once: true });
  const late = new OutboundError("timeout", `${host} did not answer completely within ${timeoutMs} ms.`, { retryable: true });
  const timer = timeoutMs === null ? undefined : setTimeout(() => controller.abort(late), timeoutMs);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", forward);
  }
}
