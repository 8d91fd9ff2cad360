import type { Json, SimulatorScript, TokenUsage } from "@flow-run/spec";
import { abortedError } from "../http/http-errors.ts";
import type { ModelAnswer, ModelCallOptions, ModelProvider } from "../model.ts";
import { ModelCallError, type ModelCallErrorCode } from "../model-call-error.ts";
import { wellFormedText } from "../well-formed-text.ts";
import { pause } from "./pause.ts";
import type { SimulatedAnswer, SimulatedRefusal, SimulatedText } from "./simulated-answer.ts";
import { toSimulatorRequest } from "./simulated-request.ts";
import { createSimulator } from "./simulator.ts";
import { splitPieces } from "./split-pieces.ts";

const DEFAULT_IDLE_TIMEOUT_MS = 30_000;

/**
 * The simulator as a provider in this process: no network, real latency. Throws the ModelCallErrors that a vendor's provider throws for
 * the same faults over HTTP.
 */
export function createSimulatorProvider(script: SimulatorScript = {}): ModelProvider {
  const simulator = createSimulator(script);
  return {
    async call(model, request, options) {
      const { signal } = options;
      const started = performance.now();
      if (signal.aborted) throw abortedError(signal);
      const answer = await simulator.answer(toSimulatorRequest(model, request));
      await wait(answer.timing.beginMs, signal);
      switch (answer.kind) {
        case "silence":
          return await silence(signal);
        case "refusal":
          throw refusalError(answer);
        case "text":
          return await deliver(answer, model, options, started);
      }
    },
    async close() {},
  };
}

async function deliver(
  answer: SimulatedAnswer & SimulatedText,
  model: string,
  { signal, onText, idleTimeoutMs }: ModelCallOptions,
  started: number,
): Promise<ModelAnswer> {
  const { fault, timing, usage } = answer;
  const text = wellFormedText(answer.text);
  const pieces = splitPieces(text);
  const rawUsage: Json = answer.rawUsage ?? (usage ? { ...usage } : null);
  const billed = { usage: usageAsReported(answer), rawUsage };
  const stopAt =
    fault?.kind === "cut" || fault?.kind === "stall"
      ? fault.afterPieces === "half"
        ? Math.ceil(pieces.length / 2)
        : fault.afterPieces
      : pieces.length;
  let timeToFirstTokenMs: number | null = null;

  await wait(timing.firstTextMs, signal);
  if (onText && fault?.kind !== "malformed-body") {
    const firstAt = performance.now();
    for (let index = 0; index < Math.min(stopAt, pieces.length); index++) {
      await wait(firstAt + index * timing.perPieceMs - performance.now(), signal);
      timeToFirstTokenMs ??= performance.now() - started;
      onText(pieces[index]!);
    }
  } else {
    await wait(timing.perPieceMs * pieces.length, signal);
  }
  if (fault?.kind === "cut") {
    if (fault.afterPieces === 0) throw new ModelCallError("provider-unreachable", "The simulator broke the connection before it answered.");
    throw new ModelCallError("stream-interrupted", "The simulator broke the connection in the middle of the answer.", onText ? {} : billed);
  }
  if (fault?.kind === "stall") {
    if (timeToFirstTokenMs === null) return await silence(signal);
    await wait(idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS, signal);
    throw new ModelCallError("provider-timeout", "The simulator fell silent in the middle of the answer.");
  }
  if (fault?.kind === "endless") {
    while (!signal.aborted) {
      onText?.(" and so on");
      await wait(1, signal);
    }
    throw abortedError(signal);
  }
  if (fault?.kind === "malformed-body")
    throw new ModelCallError("bad-answer", "The simulator's answer is not valid JSON.", { statusCode: 200 });
  if (answer.finishReason === "content-filter") throw new ModelCallError("content-filtered", "The simulator withheld the answer.", billed);
  return { text, finishReason: answer.finishReason, ...billed, responseModel: model, responseId: `sim-${answer.id}`, timeToFirstTokenMs };
}

/** A usage object that the script made up says nothing that can be relied on. */
function usageAsReported(answer: SimulatedText): TokenUsage | null {
  return answer.rawUsage === undefined ? answer.usage : null;
}

function refusalError({ status, message, retryAfterMs }: SimulatedRefusal): ModelCallError {
  return new ModelCallError(codeOfStatus(status), `The simulator answered with status ${status}: ${message}`, {
    statusCode: status,
    ...(status === 402 || status === 404 ? { fallsBack: true } : {}),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

function codeOfStatus(status: number): ModelCallErrorCode {
  if (status < 300) return "bad-answer";
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 429) return "rate-limited";
  if (status === 408) return "provider-timeout";
  return status >= 500 || status === 409 || status === 425 ? "provider-error" : "provider-rejected";
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await pause(ms, signal);
  if (signal.aborted) throw abortedError(signal);
}

async function silence(signal: AbortSignal): Promise<never> {
  await pause(null, signal);
  throw abortedError(signal);
}
