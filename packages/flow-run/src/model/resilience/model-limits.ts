import PQueue from "p-queue";
import { Circuit } from "./circuit.ts";
import type { Clock } from "./clock.ts";
import { TokenBucket } from "./token-bucket.ts";

/** As under `models.NAME.limits` in the project file; what is missing is not limited. */
export interface LimitSettings {
  concurrency?: number;
  requestsPerMinute?: number;
  tokensPerMinute?: number;
}

/** What all calls of a process share: places in line for limited models, and which targets are down. Create one per process. */
export interface ModelLimits {
  /** The gate of a model, or null when nothing limits it. The same name and settings share one gate. */
  gate(model: string, settings: LimitSettings): Gate | null;
  circuit(target: { provider: string; model: string }): Circuit;
}

export function createModelLimits(): ModelLimits {
  const gates = new Map<string, Gate>();
  const circuits = new Map<string, Circuit>();
  return {
    gate(model, { concurrency, requestsPerMinute, tokensPerMinute }) {
      if (concurrency === undefined && requestsPerMinute === undefined && tokensPerMinute === undefined) return null;
      const settings = { concurrency, requestsPerMinute, tokensPerMinute };
      return getOrMake(gates, `${model} ${JSON.stringify(settings)}`, () => new Gate(settings));
    },
    circuit: ({ provider, model }) => getOrMake(circuits, `${provider}/${model}`, () => new Circuit()),
  };
}

/** Lets attempts through at the pace of a model's limits. Waits take no place and end at once on abort. */
export class Gate {
  private readonly queue: PQueue | null;
  private readonly tokens: TokenBucket | null;

  constructor({ concurrency, requestsPerMinute, tokensPerMinute }: LimitSettings) {
    this.queue =
      concurrency === undefined && requestsPerMinute === undefined
        ? null
        : new PQueue({ ...(concurrency === undefined ? {} : { concurrency }), ...pace(requestsPerMinute) });
    this.tokens = tokensPerMinute === undefined ? null : new TokenBucket(tokensPerMinute);
  }

  /** Runs the attempt when it may go. `usedTokens` tells from its result what to settle; undefined: the estimate stands. */
  async run<T>(
    options: { signal: AbortSignal; clock: Clock; estimatedTokens: number; usedTokens(result: T): number | undefined },
    attempt: () => Promise<T>,
  ): Promise<T> {
    const { signal, clock, estimatedTokens } = options;
    await this.tokens?.reserve(estimatedTokens, signal, clock);
    const release = await this.enter(signal);
    try {
      const result = await attempt();
      this.tokens?.settle(estimatedTokens, options.usedTokens(result) ?? estimatedTokens);
      return result;
    } finally {
      release();
    }
  }

  /** The queue serves as a semaphore: it would let go of a running task on abort, before the attempt has been booked. */
  private enter(signal: AbortSignal): Promise<() => void> {
    const { queue } = this;
    if (queue === null) return Promise.resolve(() => {});
    return new Promise((resolve, reject) => {
      const waiting = new AbortController();
      const forward = () => waiting.abort(signal.reason);
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", forward, { once: true });
      queue
        .add(
          () => {
            signal.removeEventListener("abort", forward);
            return new Promise<void>((release) => resolve(release));
          },
          { signal: waiting.signal },
        )
        .catch(reject);
    });
  }
}

/** A sliding window, because vendors count that way; fractions of a request become longer windows. */
function pace(requestsPerMinute: number | undefined): { interval?: number; intervalCap?: number; strict?: boolean } {
  if (requestsPerMinute === undefined) return {};
  const whole = Number.isInteger(requestsPerMinute);
  return { intervalCap: whole ? requestsPerMinute : 1, interval: whole ? 60_000 : Math.ceil(60_000 / requestsPerMinute), strict: true };
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
