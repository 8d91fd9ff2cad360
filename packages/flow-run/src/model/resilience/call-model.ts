import { FlowRunError } from "@flow-run/spec";
import { abortedError } from "../http/http-errors.ts";
import type { ModelAnswer, ModelProvider, ModelRequest } from "../model.ts";
import { ModelCallError } from "../model-call-error.ts";
import { AttemptDeadline } from "./attempt-deadline.ts";
import { backoffMs, LONGEST_RETRY_AFTER_MS } from "./backoff.ts";
import { verdictOn } from "./circuit.ts";
import type { Clock } from "./clock.ts";
import { estimateTokens } from "./estimate-tokens.ts";
import { type Contestant, type HedgeSettings, hedge } from "./hedge.ts";
import { type AppliedLimit, type LimitSettings, limitsAnything, type Pass } from "./limits/index.ts";
import type { ModelLimits } from "./model-limits.ts";
import type { TargetState } from "./target-state.ts";

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

/** Something kept for one attempt from before it stands in line until it has ended. */
export interface Reservation {
  /** Does nothing once what was kept has been used. */
  release(): void;
}

/** Every request is announced before it is sent and reported when it has ended, once each. */
export interface CallModelHooks {
  /** Resolves when the attempt may stand in line for the model; may wait. What it throws ends the call as it is. */
  reserve?(target: ModelTarget, request: ModelRequest, signal: AbortSignal): Promise<Reservation>;
  /** Resolves when the attempt is on record; the request is sent only then. What it throws ends the call as it is. */
  attemptStarting(target: ModelTarget, reservation?: Reservation): Promise<{ attemptId: string }>;
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
  /** Present: a request whose answer is late is sent again, and the first answer counts. */
  hedge?: HedgeSettings | undefined;
  /** The model's limits, and what all calls of this process share. Without it nothing is limited and no circuit breaks. */
  limits?: LimitSettings & {
    shared: ModelLimits;
    /** Within which names of models and providers mean the same: an environment. Default: one for all. */
    scope?: string;
    /** The limits of a provider as a whole, over all its models. */
    ofProvider?(name: string): LimitSettings | undefined;
  };
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
      if (error instanceof DivertedError) continue;
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
        return await this.try(target, hasFallback);
      } catch (error) {
        if (!ModelCallError.is(error) || !error.retryable || retry >= retries || signal.aborted) throw error;
        if ((error.retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) throw error;
        await clock.sleep(backoffMs(retry, error.retryAfterMs, random), signal).catch(() => {});
      }
    }
  }

  /** One attempt, or several at once where the model is hedged. */
  private try(target: ModelTarget, hasFallback: boolean): Promise<ModelAnswer> {
    const { hedge: settings, signal, clock } = this.options;
    if (settings === undefined) return this.reserved(target, hasFallback, { signal, sent() {}, claim: () => true });
    return hedge((contestant) => this.reserved(target, hasFallback, contestant), { ...settings, signal, clock });
  }

  /** One attempt, with what it may cost kept for it before it stands in line: a line can be long, and others of the run ask meanwhile. */
  private async reserved(target: ModelTarget, hasFallback: boolean, contestant: Contestant): Promise<ModelAnswer> {
    const { hooks, request } = this.options;
    const { signal } = contestant;
    const reservation = await hooks.reserve?.(target, request, signal).catch((error) => {
      throw signal.aborted && !FlowRunError.isInstance(error) ? abortedError(signal) : error;
    });
    try {
      return await this.admitted(target, hasFallback, reservation, contestant);
    } finally {
      reservation?.release();
    }
  }

  /** One attempt, when the limits and the target's state let it through. */
  private async admitted(
    target: ModelTarget,
    hasFallback: boolean,
    reservation: Reservation | undefined,
    contestant: Contestant,
  ): Promise<ModelAnswer> {
    const { limits, clock } = this.options;
    const provider = this.options.providers(target.provider);
    if (limits === undefined) return this.attempt(provider, target, reservation, contestant);
    const state = limits.shared.target(limits.scope ?? "", target);
    const applied = this.appliedLimits(target);
    const pass = await this.enter(applied, state, hasFallback, contestant.signal);
    const pauseFor = (ms: number | undefined) => ms !== undefined && limits.shared.pause(limits.scope ?? "", target, ms, applied);
    const ended = state.circuit.begin(clock.now());
    let answer: ModelAnswer | undefined;
    let sent = false;
    try {
      const sending = {
        ...contestant,
        sent: () => {
          sent = true;
          contestant.sent();
        },
      };
      answer = await this.attempt(provider, target, reservation, sending);
      // Before the place is free: an attempt of the same call that waits for it is not to be sent any more.
      contestant.claim();
      ended("alive", clock.now());
      pauseFor(answer.pauseMs);
      return answer;
    } catch (error) {
      ended(verdictOn(error), clock.now());
      if (ModelCallError.is(error)) pauseFor(error.retryAfterMs);
      throw error;
    } finally {
      pass?.leave({ sent, usedTokens: answer && usedTokens(answer) });
    }
  }

  /** Waits until the target takes requests and the limits allow one more. Throws `DivertedError` for a call that is better off with its fallback. */
  private async enter(applied: AppliedLimit[], state: TargetState, hasFallback: boolean, signal: AbortSignal): Promise<Pass | null> {
    const { clock, random } = this.options;
    const tokens = applied.some(({ limits }) => limits.tokensPerMinute !== undefined) ? estimateTokens(this.options.request) : 0;
    try {
      for (;;) {
        if (hasFallback && state.repels(clock.now())) throw new DivertedError();
        if (state.pausedForMs(clock.now()) > 0) await state.untilPauseIsOver(clock, random, signal);
        if (applied.length === 0) return null;
        const pass = await this.options.limits!.shared.enter(applied, tokens, signal);
        // The line may have been long.
        const now = clock.now();
        if (state.pausedForMs(now) === 0 && !(hasFallback && state.repels(now))) return pass;
        pass.leave({ sent: false });
      }
    } catch (error) {
      // Waiting ends with whatever reason the signal was aborted for.
      throw signal.aborted && !(error instanceof DivertedError) ? abortedError(signal) : error;
    }
  }

  private appliedLimits(target: ModelTarget): AppliedLimit[] {
    const { limits, modelName } = this.options;
    const applied: AppliedLimit[] = [];
    if (limits === undefined) return applied;
    const { scope = "", concurrency, requestsPerMinute, tokensPerMinute } = limits;
    if (limitsAnything(limits)) {
      const name = modelName ?? `${target.provider}/${target.model}`;
      applied.push({ key: `${scope} model ${name}`, limits: { concurrency, requestsPerMinute, tokensPerMinute } });
    }
    const ofProvider = limits.ofProvider?.(target.provider);
    if (ofProvider !== undefined && limitsAnything(ofProvider))
      applied.push({ key: `${scope} provider ${target.provider}`, limits: ofProvider });
    return applied;
  }

  private async attempt(
    provider: ModelProvider,
    target: ModelTarget,
    reservation: Reservation | undefined,
    { signal, sent, claim }: Contestant,
  ): Promise<ModelAnswer> {
    const { hooks, request, timeoutMs, clock, onText, wantsText } = this.options;
    const { attemptId } = await hooks.attemptStarting(target, reservation);
    if (this.streamed) {
      this.streamed = false;
      this.options.onRestart?.(attemptId);
    }
    const deadline = new AttemptDeadline(signal, timeoutMs, clock);
    let answer: ModelAnswer;
    try {
      if (signal.aborted) throw abortedError(signal);
      sent();
      answer = await provider.call(target.model, request, {
        signal: deadline.signal,
        attemptId,
        ...(onText === undefined || wantsText?.() === false ? {} : { onText: (delta: string) => claim() && this.hand(delta, attemptId) }),
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

/** Nothing was sent: the target is down or wants to be left alone, and there is another one. */
class DivertedError extends Error {}

/** For the record only: an attempt that was announced must end, also when the provider could not be made or has a defect. */
function asModelCallError(error: unknown): ModelCallError {
  if (ModelCallError.is(error)) return error;
  if (FlowRunError.isInstance(error)) return new ModelCallError("provider-rejected", error.message, { cause: error });
  return new ModelCallError("bad-answer", "The provider's adapter failed unexpectedly.", { retryable: false, cause: error });
}

function usedTokens({ usage }: ModelAnswer): number | undefined {
  return usage === null ? undefined : Object.values(usage).reduce((sum, tokens) => sum + tokens, 0);
}
