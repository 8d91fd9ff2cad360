import { FlowRunError } from "@flow-run/spec";
import { abortedError } from "../http/http-errors.ts";
import type { ModelAnswer, ModelProvider, ModelRequest } from "../model.ts";
import { ModelCallError } from "../model-call-error.ts";
import { AttemptDeadline } from "./attempt-deadline.ts";
import { backoffMs, LONGEST_RETRY_AFTER_MS } from "./backoff.ts";
import { CircuitOpenError } from "./circuit.ts";
import type { Clock } from "./clock.ts";
import { estimateTokens } from "./estimate-tokens.ts";
import type { LimitSettings, ModelLimits } from "./model-limits.ts";

/** Where a request goes. */
export interface ModelTarget {
  /** A provider's name in the project file. */
  provider: string;
  /** The model's name as the provider knows it. */
  model: string;
}

export interface EndedAttempt {
  attemptId: string;
  target: ModelTarget;
  /** Exactly one of the two is there. */
  answer?: ModelAnswer;
  error?: ModelCallError;
}

/** Every request is announced before it is sent and reported when it has ended, once each. */
export interface CallModelHooks {
  /** Resolves when the attempt is on record; the request is sent only then. What it throws ends the call as it is. */
  attemptStarting(target: ModelTarget): Promise<{ attemptId: string }>;
  attemptEnded(ended: EndedAttempt): void;
}

export interface CallModelOptions {
  /** Tried in order: the model itself, then its fallbacks. At least one. */
  targets: readonly ModelTarget[];
  /** Throws FlowRunError for a provider that cannot be used, for example for want of a secret. */
  providers(name: string): ModelProvider;
  request: ModelRequest;
  /** Milliseconds, per attempt. */
  timeoutMs: number;
  /** Further attempts at one target after the first. */
  retries: number;
  /** The name under which the model's limits are counted. Default: the first target. */
  modelName?: string;
  /** The model's limits, and what all calls of this process share. Without it nothing is limited and no circuit breaks. */
  limits?: LimitSettings & { shared: ModelLimits };
  signal: AbortSignal;
  /** Given: the answer is streamed. */
  onText?: (delta: string, attemptId: string) => void;
  /** Asked before each attempt: whether it is streamed. Default: whenever `onText` is given. */
  wantsText?: () => boolean;
  /** What was streamed so far is void; this attempt begins the answer again. */
  onRestart?: (attemptId: string) => void;
  clock: Clock;
  /** From 0 up to 1; for jitter. */
  random(): number;
  hooks: CallModelHooks;
}

/**
 * Asks a model until it answers: with retries at one target, then at its fallbacks. Returns the answer and who gave it. Throws the last
 * ModelCallError, `aborted` as soon as the signal aborts, or what `providers` or `attemptStarting` threw.
 */
export async function callModel(options: CallModelOptions): Promise<ModelAnswer & ModelTarget> {
  const attempts = new Attempts(options);
  let last: unknown = null;
  for (const [index, target] of options.targets.entries()) {
    try {
      return { ...(await attempts.atTarget(target, index < options.targets.length - 1)), ...target };
    } catch (error) {
      if (error instanceof CircuitOpenError) continue;
      if (!ModelCallError.is(error) || !error.fallsBack || options.signal.aborted) throw error;
      last = error;
    }
  }
  throw last ?? new FlowRunError("unknown-model", "The model has no target to ask. Give it a `use`.");
}

/** The attempts of one call. */
class Attempts {
  private readonly options: CallModelOptions;
  /** Text was handed out that a further attempt makes void. */
  private streamed = false;

  constructor(options: CallModelOptions) {
    this.options = options;
  }

  async atTarget(target: ModelTarget, hasFallback: boolean): Promise<ModelAnswer> {
    const { retries, signal, clock, random } = this.options;
    for (let retry = 0; ; retry++) {
      if (signal.aborted) throw abortedError(signal);
      try {
        return await this.admitted(target, hasFallback);
      } catch (error) {
        if (!ModelCallError.is(error) || !error.retryable || retry >= retries || signal.aborted) throw error;
        if ((error.retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) throw error;
        await clock.sleep(backoffMs(retry, error.retryAfterMs, random), signal).catch(() => {});
      }
    }
  }

  /** One attempt, when the model's limits and the target's circuit let it through. */
  private async admitted(target: ModelTarget, hasFallback: boolean): Promise<ModelAnswer> {
    const { limits, request, signal, clock } = this.options;
    const provider = this.options.providers(target.provider);
    const attempt = () => this.attempt(provider, target);
    if (limits === undefined) return attempt();
    const gate = limits.shared.gate(this.options.modelName ?? `${target.provider}/${target.model}`, limits);
    return limits.shared.circuit(target).run(hasFallback, async () => {
      if (gate === null) return attempt();
      try {
        return await gate.run(
          { signal, clock, estimatedTokens: limits.tokensPerMinute === undefined ? 0 : estimateTokens(request), usedTokens },
          attempt,
        );
      } catch (error) {
        // Waiting in line ends with whatever reason the signal was aborted for.
        throw signal.aborted && !ModelCallError.is(error) ? abortedError(signal) : error;
      }
    });
  }

  private async attempt(provider: ModelProvider, target: ModelTarget): Promise<ModelAnswer> {
    const { hooks, request, signal, timeoutMs, clock, onText, wantsText } = this.options;
    const { attemptId } = await hooks.attemptStarting(target);
    if (this.streamed) {
      this.streamed = false;
      this.options.onRestart?.(attemptId);
    }
    const deadline = new AttemptDeadline(signal, timeoutMs, clock);
    let answer: ModelAnswer;
    try {
      if (signal.aborted) throw abortedError(signal);
      answer = await provider.call(target.model, request, {
        signal: deadline.signal,
        attemptId,
        ...(onText === undefined || wantsText?.() === false ? {} : { onText: (delta: string) => this.hand(delta, attemptId) }),
      });
    } catch (error) {
      hooks.attemptEnded({ attemptId, target, error: asModelCallError(error) });
      throw error;
    } finally {
      deadline.end();
    }
    hooks.attemptEnded({ attemptId, target, answer });
    return answer;
  }

  private hand(delta: string, attemptId: string): void {
    this.streamed = true;
    this.options.onText?.(delta, attemptId);
  }
}

/** For the record only: an attempt that was announced must end, also when the provider could not be made or has a defect. */
function asModelCallError(error: unknown): ModelCallError {
  if (ModelCallError.is(error)) return error;
  if (FlowRunError.isInstance(error)) return new ModelCallError("provider-rejected", error.message, { cause: error });
  return new ModelCallError("bad-answer", "The provider's adapter failed unexpectedly.", { retryable: false, cause: error });
}

function usedTokens({ usage }: ModelAnswer): number | undefined {
  return usage === null ? undefined : Object.values(usage).reduce((sum, tokens) => sum + tokens, 0);
}
