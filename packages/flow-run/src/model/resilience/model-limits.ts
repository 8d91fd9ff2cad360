import type { Clock } from "./clock.ts";
import { type AppliedLimit, Limiter, type LimitStates, MemoryLimitStates, type Pass } from "./limits/index.ts";
import { TargetState } from "./target-state.ts";

export interface ModelLimitsOptions {
  clock: Clock;
  /** Where the use of limits is counted. Default: in this process, for this process. */
  states?: LimitStates;
  /** Told when `states` cannot be reached. Calls go on with this process's last part of each limit. */
  onTrouble?(error: unknown, doing: string): void;
}

/** What all calls of a process share: places in line for limited models and providers, and which targets are down or want to be left alone. Create one per process. */
export interface ModelLimits {
  /** What is known of a target in a scope, which is an environment's name or nothing. */
  target(scope: string, target: { provider: string; model: string }): TargetState;
  /** Resolves when a request that is subject to these limits may be sent; rejects with the signal's reason. */
  enter(applied: readonly AppliedLimit[], estimatedTokens: number, signal: AbortSignal): Promise<Pass>;
  /** The target wants to be left alone: notes it here, and tells whoever shares these limits. */
  pause(scope: string, target: { provider: string; model: string }, ms: number, applied: readonly AppliedLimit[]): void;
  /** Gives back what this process holds of shared limits. Call when no call is under way any more. */
  close(): Promise<void>;
}

/** A shorter pause is over before the others know of it. */
const WORTH_TELLING_MS = 1_000;

export function createModelLimits({ clock, states, onTrouble }: ModelLimitsOptions): ModelLimits {
  const targets = new Map<string, TargetState>();
  let limiter: Limiter | null = null;
  const keyOf = (scope: string, { provider, model }: { provider: string; model: string }) => `${scope} ${provider}/${model}`;
  const stateOf = (key: string): TargetState => {
    let state = targets.get(key);
    if (state === undefined) {
      state = new TargetState();
      targets.set(key, state);
    }
    return state;
  };
  return {
    target: (scope, target) => stateOf(keyOf(scope, target)),
    enter(applied, estimatedTokens, signal) {
      limiter ??= new Limiter({
        clock,
        states: states ?? new MemoryLimitStates(() => clock.now()),
        onPause: (target, ms) => stateOf(target).pause(ms, clock.now()),
        ...(onTrouble === undefined ? {} : { onTrouble }),
      });
      return limiter.enter(applied, estimatedTokens, signal);
    },
    pause(scope, target, ms, applied) {
      const key = keyOf(scope, target);
      stateOf(key).pause(ms, clock.now());
      if (ms >= WORTH_TELLING_MS) limiter?.tellPause(applied, key, ms);
    },
    async close() {
      await limiter?.close();
    },
  };
}
