import type { Json, SimulatorRuleError, SimulatorScript, TokenUsage } from "@flow-run/spec";
import { durationMs } from "@flow-run/spec";
import { drawFault, type FaultKind } from "./draw-fault.ts";
import { estimateInputTokens, estimateTextTokens } from "./estimate-tokens.ts";
import { compileWhen } from "./match-rule.ts";
import { seededRandom } from "./seeded-random.ts";
import { writeAnswer } from "./sentences.ts";
import type { AnswerFault, SimulatedAnswer, SimulatedRefusal } from "./simulated-answer.ts";
import { lastUserText, requestKey, type SimulatorRequest } from "./simulated-request.ts";
import { breakJson, spoilValue } from "./spoil-answer.ts";
import { compileLatency, drawTiming } from "./timing.ts";
import { createValueWriter, NoValueError } from "./value/index.ts";

/** How many different requests the simulator remembers to have been asked; of more, the oldest are forgotten. */
const MOST_REMEMBERED = 100_000;
const DEFAULT_RETRY_AFTER = "1s";
const LONGEST_TEXT_TOKENS = 400;

/** A deterministic model. Remembers only how often it was asked what. */
export interface Simulator {
  readonly script: SimulatorScript;
  /**
   * The same answer for the same request (model, messages, config, schema) and seed, whatever else was asked and when; only a rule's `nth`,
   * `times` and `attempt`, and the faults, depend on how often something was asked. Waits for nothing: the caller keeps the timing.
   */
  answer(request: SimulatorRequest): Promise<SimulatedAnswer>;
  /** Forgets how often it was asked. */
  reset(): void;
}

/** A simulator for a valid script (`simulatorScriptSchema`). */
export function createSimulator(script: SimulatorScript = {}): Simulator {
  const values = createValueWriter();
  const seed = script.seed ?? 0;
  const latency = compileLatency(script.latency);
  const rules = (script.rules ?? []).map((rule) => ({
    rule,
    holds: compileWhen(rule.when),
    latency: rule.latency === undefined ? latency : compileLatency(rule.latency),
    matched: 0,
    used: 0,
  }));
  const asked = new Map<string, number>();

  function countAttempt(key: string): number {
    const attempt = (asked.get(key) ?? 0) + 1;
    if (attempt === 1 && asked.size >= MOST_REMEMBERED) asked.delete(asked.keys().next().value!);
    asked.set(key, attempt);
    return attempt;
  }

  function findRule(request: SimulatorRequest, attempt: number) {
    for (const candidate of rules) {
      const { when, times } = candidate.rule;
      if (!candidate.holds(request, attempt)) continue;
      candidate.matched++;
      if (when?.nth !== undefined && candidate.matched !== when.nth) continue;
      if (times !== undefined && candidate.used >= times) continue;
      candidate.used++;
      return candidate;
    }
    return undefined;
  }

  async function makeUp(request: SimulatorRequest, key: string): Promise<Json> {
    const prompt = lastUserText(request.messages);
    if (request.output) {
      const schema = request.output.schema ?? true;
      const wanted =
        schema === true || Object.keys(schema).length === 0 ? { type: "object", properties: { answer: { type: "string" } } } : schema;
      return await values.write(wanted, prompt, `${seed}:${key}`);
    }
    const limit = Number(request.config.maxOutputTokens);
    return writeAnswer(prompt, seededRandom(`${seed}:${key}`), limit > 0 ? Math.min(limit, LONGEST_TEXT_TOKENS) : LONGEST_TEXT_TOKENS);
  }

  return {
    script,
    reset() {
      asked.clear();
      for (const rule of rules) {
        rule.matched = 0;
        rule.used = 0;
      }
    },
    async answer(request) {
      let key: string;
      try {
        key = requestKey(request);
      } catch (failure) {
        if (!(failure instanceof RangeError)) throw failure;
        return { id: "0".repeat(32), attempt: 1, timing: drawTiming(latency, ""), ...refuse(400, "The request is nested too deeply.") };
      }
      const attempt = countAttempt(key);
      const drawSeed = `${seed}:${key}:${attempt}`;
      const found = findRule(request, attempt);
      const rule = found?.rule;
      const error = rule?.error;
      const common = {
        id: key.slice(0, 28) + attempt.toString(16).padStart(4, "0").slice(-4),
        attempt,
        timing: drawTiming(found?.latency ?? latency, `${drawSeed}:latency`),
      };
      const drawn = error ? null : drawFault(script.faults, `${drawSeed}:fault`, request.output !== undefined);

      const refusal = error ? refusalOf(error) : drawnRefusal(drawn, script.faults?.retryAfter ?? DEFAULT_RETRY_AFTER);
      if (refusal) return { ...common, ...refusal };
      if (error?.timeout || drawn === "timeout") return { ...common, kind: "silence" };

      let content: Json;
      try {
        content = rule?.answer === undefined ? await makeUp(request, key) : rule.answer;
      } catch (failure) {
        if (!(failure instanceof NoValueError)) throw failure;
        const message = "The simulator found no value that fits the schema: give it an answer by a rule in its script.";
        return { ...common, ...refuse(400, message) };
      }
      if (error?.schemaMismatch || drawn === "schemaMismatch") content = spoilValue(content);
      const written = typeof content === "string" && (rule?.answer !== undefined || !request.output) ? content : JSON.stringify(content);
      const text = error?.malformedJson || drawn === "malformedJson" ? breakJson(written) : written;
      return {
        ...common,
        kind: "text",
        text,
        finishReason: rule?.finishReason ?? "stop",
        usage: rule?.usage === "none" ? null : usageOf(request, text, rule?.usage),
        ...(rule?.rawUsage === undefined ? {} : { rawUsage: rule.rawUsage }),
        fault: error ? faultOf(error) : drawnFault(drawn),
      };
    },
  };
}

function usageOf(request: SimulatorRequest, text: string, given: Partial<TokenUsage> | undefined): TokenUsage {
  return {
    inputTokens: given?.inputTokens ?? estimateInputTokens(request),
    outputTokens: given?.outputTokens ?? estimateTextTokens(text),
    cacheReadTokens: given?.cacheReadTokens ?? 0,
    cacheWriteTokens: given?.cacheWriteTokens ?? 0,
    reasoningTokens: given?.reasoningTokens ?? 0,
  };
}

function refusalOf(error: SimulatorRuleError): SimulatedRefusal | null {
  if (error.status === undefined && error.body === undefined) return null;
  const status = error.status ?? 200;
  return {
    ...refuse(status, error.message ?? `The simulator was told to answer with status ${status}.`),
    retryAfterMs: error.retryAfter === undefined ? null : durationMs(error.retryAfter),
    headers: error.headers ?? {},
    body: error.body ?? null,
  };
}

function drawnRefusal(kind: FaultKind | null, retryAfter: string): SimulatedRefusal | null {
  switch (kind) {
    case "rateLimit":
      return { ...refuse(429, "Rate limit reached (simulated fault)."), retryAfterMs: durationMs(retryAfter) };
    case "serverError":
      return refuse(500, "The server had an error (simulated fault).");
    case "overloaded":
      return refuse(529, "Overloaded (simulated fault).");
    default:
      return null;
  }
}

function refuse(status: number, message: string): SimulatedRefusal {
  return { kind: "refusal", status, message, retryAfterMs: null, headers: {}, body: null };
}

function faultOf(error: SimulatorRuleError): AnswerFault | null {
  if (error.cutAfter !== undefined) return { kind: "cut", afterPieces: error.cutAfter };
  if (error.stallAfter !== undefined) return { kind: "stall", afterPieces: error.stallAfter };
  if (error.endless) return { kind: "endless" };
  return error.malformedBody ? { kind: "malformed-body" } : null;
}

function drawnFault(kind: FaultKind | null): AnswerFault | null {
  if (kind === "cutStream") return { kind: "cut", afterPieces: "half" };
  return kind === "malformedBody" ? { kind: "malformed-body" } : null;
}
