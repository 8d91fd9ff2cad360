import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { ModelCallOptions } from "../model.ts";
import { ModelCallError } from "../model-call-error.ts";
import { WellFormedStream } from "../well-formed-text.ts";
import { describeWarning } from "./describe-warning.ts";
import type { RawAnswer } from "./language-model-provider.ts";
import { rateLimitPauseMs } from "./rate-limit-pause.ts";
import type { Vendor } from "./vendor.ts";

const DEFAULT_IDLE_TIMEOUT_MS = 30_000;

/**
 * Reads a streamed answer and hands its text on. A stream fails in three ways, and all of them throw: the iterator throws, an error part
 * arrives, or it ends without a completion. Silence after the first text is the fourth.
 */
export async function readStream(
  model: LanguageModelV4,
  call: LanguageModelV4CallOptions,
  options: ModelCallOptions,
  vendor: Vendor,
  keep: (answer: RawAnswer) => void,
): Promise<void> {
  const startedAt = performance.now();
  const idle = new IdleWatch(options.signal, options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS);
  const answer: RawAnswer = {
    text: "",
    finishReason: { unified: "interrupted", raw: undefined },
    usage: undefined,
    responseModel: null,
    responseId: null,
    timeToFirstTokenMs: null,
    warnings: [],
    pauseMs: undefined,
  };
  const wellFormed = new WellFormedStream();
  const hand = (text: string) => {
    if (text === "") return;
    answer.timeToFirstTokenMs ??= performance.now() - startedAt;
    answer.text += text;
    options.onText?.(text);
  };
  const wantsRaw = vendor.responseModel !== undefined || vendor.isRefusal !== undefined;
  let refused = false;
  let reader: ReadableStreamDefaultReader<unknown> | null = null;
  try {
    const { stream, response } = await model.doStream({ ...call, abortSignal: idle.signal, includeRawChunks: wantsRaw });
    answer.pauseMs = rateLimitPauseMs(response?.headers, Date.now());
    const parts = stream.getReader();
    reader = parts;
    for (;;) {
      const { done, value: part } = await parts.read();
      if (done) break;
      switch (part.type) {
        case "stream-start":
          answer.warnings = part.warnings.map(describeWarning);
          break;
        case "text-delta":
          hand(wellFormed.push(part.delta));
          break;
        case "response-metadata":
          answer.responseModel = part.modelId ?? answer.responseModel;
          answer.responseId = part.id ?? answer.responseId;
          break;
        case "raw":
          answer.responseModel = vendor.responseModel?.(part.rawValue) ?? answer.responseModel;
          refused ||= vendor.isRefusal?.(part.rawValue) ?? false;
          break;
        case "finish":
          // What the answer began with stands: interrupted.
          if (vendor.missesBreaks !== true || part.finishReason.raw !== undefined) answer.finishReason = part.finishReason;
          if (refused) answer.finishReason = { unified: "content-filter", raw: "refusal" };
          answer.usage = part.usage;
          keep(answer);
          break;
        case "error":
          throw part.error;
        default:
          break;
      }
      if (answer.timeToFirstTokenMs !== null) idle.arm();
    }
    hand(wellFormed.end());
    keep(answer);
    if (answer.text === "" && answer.finishReason.unified === "interrupted") {
      throw new ModelCallError("bad-answer", "The provider's stream ended without any content. Check its baseUrl.");
    }
  } catch (error) {
    throw idle.expired ?? error;
  } finally {
    idle.end();
    // Gives the socket up when we stop early; a stream that has ended does not mind.
    reader?.cancel().catch(() => {});
  }
}

/** Aborts the request when the caller does, or when the stream has been silent for too long. */
class IdleWatch {
  expired: ModelCallError | null = null;
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal;
  private readonly timeoutMs: number;
  private timer: NodeJS.Timeout | null = null;

  constructor(outer: AbortSignal, timeoutMs: number) {
    this.outer = outer;
    this.timeoutMs = timeoutMs;
    if (outer.aborted) this.forward();
    outer.addEventListener("abort", this.forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  arm(): void {
    if (this.timer !== null) this.timer.refresh();
    else this.timer = setTimeout(this.expire, this.timeoutMs);
  }

  end(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.outer.removeEventListener("abort", this.forward);
  }

  private readonly forward = () => this.controller.abort(this.outer.reason);

  private readonly expire = () => {
    this.expired = new ModelCallError("provider-timeout", `The stream fell silent for ${this.timeoutMs} ms after its text had begun.`);
    this.controller.abort(this.expired);
  };
}
