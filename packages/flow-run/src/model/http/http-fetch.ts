import type { Dispatcher } from "undici";
import { collectBody } from "./collect-body.ts";
import { abortedError, interruptedError, refusalOf, unreachableError, unsendableError } from "./http-errors.ts";
import { LeanResponse } from "./lean-response.ts";
import { streamBody } from "./stream-body.ts";

export interface HttpFetchOptions {
  /** Bytes of an answer's body, after decompression. Default 50 MB. */
  maxBodyBytes?: number;
}

/** What the vendors' libraries need of `fetch`: text goes out, an answer comes back whole or as a stream of bytes. */
export type HttpFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const DEFAULT_MAX_BODY_BYTES = 50 * 1024 * 1024;

/**
 * A `fetch` that does little and does it fast, over sockets that the caller owns. Redirects are refused (the key would travel on), bodies are
 * capped, and there is no timeout but the signal's. Failures are ModelCallError: `provider-unreachable` before the answer began,
 * `stream-interrupted` after, `answer-too-large`, `bad-answer` for a web page, `provider-rejected` for a redirect, `aborted`.
 */
export function createHttpFetch(agent: Dispatcher, options: HttpFetchOptions = {}): HttpFetch {
  const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  return (input, init = {}) =>
    new Promise((resolve, reject) => new Exchange(resolve, reject, maxBodyBytes, init.signal ?? null).start(agent, String(input), init));
}

/** Takes the bytes of one answer. After `end` or `fail` it ignores whatever comes. */
export interface BodySink {
  /** False: hold back until the source is told to resume. */
  write(chunk: Buffer): boolean;
  end(): void;
  fail(error: Error): void;
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  private readonly resolve: (response: Response) => void;
  private readonly reject: (error: Error) => void;
  private readonly maxBodyBytes: number;
  private readonly signal: AbortSignal | null;
  private controller: Dispatcher.DispatchController | null = null;
  private sink: BodySink | null = null;
  /** The socket has nothing more for us, or we want nothing more from it. */
  private closed = false;

  constructor(resolve: (response: Response) => void, reject: (error: Error) => void, maxBodyBytes: number, signal: AbortSignal | null) {
    this.resolve = resolve;
    this.reject = reject;
    this.maxBodyBytes = maxBodyBytes;
    this.signal = signal;
  }

  start(agent: Dispatcher, address: string, init: RequestInit): void {
    if (this.signal?.aborted) {
      this.stop(abortedError(this.signal));
      return;
    }
    this.signal?.addEventListener("abort", this.onAbort, { once: true });
    try {
      const url = new URL(address);
      agent.dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method: (init.method ?? "GET") as Dispatcher.HttpMethod,
          headers: init.headers as Record<string, string>,
          body: (init.body ?? null) as string | null,
        },
        this,
      );
    } catch (error) {
      this.stop(unsendableError(error));
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.closed) controller.abort(new Error("aborted before it was sent"));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    const refusal = refusalOf(status, headers);
    if (refusal !== null) {
      this.stop(refusal);
      return;
    }
    const encoding = String(headers["content-encoding"] ?? "")
      .trim()
      .toLowerCase();
    const whole = status >= 300 || status === 204 || String(headers["content-type"] ?? "").includes("application/json");
    if (whole) {
      this.sink = collectBody(encoding, this.maxBodyBytes, {
        complete: (bytes) => this.resolve(new LeanResponse(status, headers, bytes) as unknown as Response),
        failed: (error) => this.stop(error),
      });
    } else {
      const { sink, stream } = streamBody(encoding, this.maxBodyBytes, {
        resume: () => this.controller?.resume(),
        stop: (error) => this.stop(error),
      });
      this.sink = sink;
      this.resolve(new LeanResponse(status, headers, stream) as unknown as Response);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.sink !== null && !this.sink.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.closed) return;
    this.close();
    this.sink?.end();
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.closed) return;
    this.close();
    this.settle(this.sink === null ? unreachableError(error) : interruptedError(error));
  }

  private readonly onAbort = () => this.stop(abortedError(this.signal!));

  /** Ends the exchange from our side. The socket is given up with it: the rest of the answer would block it. */
  private stop(error: Error): void {
    if (!this.closed) {
      this.close();
      this.controller?.abort(error);
    }
    this.settle(error);
  }

  private settle(error: Error): void {
    this.reject(error);
    this.sink?.fail(error);
  }

  private close(): void {
    this.closed = true;
    this.signal?.removeEventListener("abort", this.onAbort);
  }
}
