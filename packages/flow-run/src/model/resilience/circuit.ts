import { BrokenCircuitError, CircuitState, CountBreaker, circuitBreaker, handleWhen } from "cockatiel";
import { ModelCallError, type ModelCallErrorCode } from "../model-call-error.ts";

/** Signs that the provider is down. A refused key or a rate limit says that it is alive. */
const OUTAGES: ReadonlySet<ModelCallErrorCode> = new Set([
  "provider-unreachable",
  "provider-timeout",
  "provider-error",
  "stream-interrupted",
]);

const HALF_OPEN_AFTER_MS = 10_000;

/** Thrown instead of sending: the caller goes to its next target. */
export class CircuitOpenError extends Error {}

/**
 * Remembers that a target is down, so that callers with a fallback do not each find out by timeout. It opens when more than 8 of 10 of the last
 * twenty attempts met an outage, and lets one probe through every 10 s.
 */
export class Circuit {
  private readonly policy = circuitBreaker(
    handleWhen((error) => ModelCallError.is(error) && OUTAGES.has(error.code)),
    { halfOpenAfter: HALF_OPEN_AFTER_MS, breaker: new CountBreaker({ threshold: 0.8, size: 20, minimumNumberOfCalls: 10 }) },
  );

  /** `mayDivert` false: the caller has nowhere else to go, so it is let through whatever the state. */
  async run<T>(mayDivert: boolean, attempt: () => Promise<T>): Promise<T> {
    const { state } = this.policy;
    if (state !== CircuitState.Closed && !mayDivert) return attempt();
    // While a probe is out the library would let us wait for it, deaf to aborts.
    if (state === CircuitState.HalfOpen) throw new CircuitOpenError();
    try {
      return await this.policy.execute(attempt);
    } catch (error) {
      throw error instanceof BrokenCircuitError ? new CircuitOpenError() : error;
    }
  }
}
