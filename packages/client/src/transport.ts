import { ApiError } from "./api-error.ts";
import { pause } from "./pause.ts";
import { readAnswer } from "./read-answer.ts";

export interface ClientOptions {
  /** Of the server, for example `https://flows.example.com`; a path in it is kept. */
  url: string;
  /** `frk_…`. A dev server on the same machine needs none. */
  apiKey?: string;
  /** Which environment an admin key, or a dev server, is asked about. */
  environment?: string;
  /** In place of the global one. */
  fetch?: typeof globalThis.fetch;
  /** How often a request that can safely be repeated is sent again when the server is away or busy. Default 2. */
  retries?: number;
}

export interface Sent {
  method: string;
  path: string;
  /** A list is given as often as it has elements. */
  query?: Record<string, string | number | readonly string[] | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Sending it twice does no more than sending it once. */
  repeatable: boolean;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

/** Sends requests to one server: address, key, repetition and errors in one place. */
export class Transport {
  private readonly options: ClientOptions;
  private readonly base: string;
  private readonly fetch: typeof globalThis.fetch;

  constructor(options: ClientOptions) {
    this.options = options;
    if (!URL.canParse(options.url)) {
      throw new ApiError("invalid-url", `"${options.url}" is not the URL of a server; write for example http://127.0.0.1:7070.`);
    }
    this.base = options.url.replace(/\/+$/, "");
    // A browser's fetch insists on its receiver.
    this.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** The JSON of the answer. Throws `ApiError`. */
  async call(sent: Sent): Promise<unknown> {
    const retries = sent.repeatable ? (this.options.retries ?? 2) : 0;
    for (let attempt = 0; ; attempt++) {
      try {
        return await readAnswer(await this.send(sent));
      } catch (error) {
        if (!(error instanceof ApiError) || !error.retryable || attempt >= retries) throw error;
        const delayMs = error.retryAfterMs ?? FIRST_DELAY_MS * 4 ** attempt;
        await pause(Math.min(delayMs, LONGEST_DELAY_MS), sent.signal);
      }
    }
  }

  /** The answer itself, sent once. Throws `ApiError` `server-unreachable` when there is none. */
  async send(sent: Sent): Promise<Response> {
    const url = new URL(this.base + sent.path);
    for (const [name, value] of Object.entries(sent.query ?? {})) {
      if (value !== undefined) for (const one of [value].flat()) url.searchParams.append(name, String(one));
    }
    const headers: Record<string, string> = { accept: "application/json", ...sent.headers };
    if (this.options.apiKey !== undefined) headers.authorization = `Bearer ${this.options.apiKey}`;
    if (this.options.environment !== undefined) headers["x-flow-run-environment"] = this.options.environment;
    const init: RequestInit = { method: sent.method, headers, redirect: "error", signal: sent.signal };
    if (sent.body !== undefined) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(sent.body);
    }
    try {
      return await this.fetch(url, init);
    } catch (error) {
      if (sent.signal?.aborted) throw error;
      throw this.unreachable(error);
    }
  }

  /** What it means when no answer, or only half of one, came. */
  unreachable(cause: unknown): ApiError {
    return new ApiError(
      "server-unreachable",
      `No answer from ${this.base}${reason(cause)}. Is the server running, and is this its address? \`flow-run dev\` starts one here.`,
      { cause, retryable: true },
    );
  }
}

/** fetch says only "fetch failed"; why stands in its cause. */
function reason(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown } } | null)?.cause;
  return typeof cause?.code === "string" ? ` (${cause.code})` : "";
}
