import { RequestRefusal } from "./request-refusal.ts";

const MAX_CALLERS = 10_000;

interface Caller {
  /** Starts left in this moment; refilled continuously up to one second's worth. */
  tokens: number;
  atMs: number;
  inFlight: number;
}

/** Keeps one key from taking the whole server: so many starts a second, and so many waiting for their commit at once. Each process counts for itself. */
export class SubmitLimiter {
  private readonly perSecond: number;
  private readonly maxInFlight: number;
  private readonly now: () => number;
  private readonly callers = new Map<string, Caller>();
  /** Value of the header `RateLimit-Policy`. */
  readonly policy: string;

  constructor(limits: { submitsPerSecond: number; submitsInFlight: number }, now: () => number = () => performance.now()) {
    this.perSecond = limits.submitsPerSecond;
    this.maxInFlight = limits.submitsInFlight;
    this.now = now;
    this.policy = `"runs";q=${this.perSecond};w=1`;
  }

  /** Counts one start and returns how many are left in this second; `leave` must follow. Throws `rate-limited`. */
  enter(callerId: string): number {
    const caller = this.callerOf(callerId);
    const now = this.now();
    caller.tokens = Math.min(this.perSecond, caller.tokens + ((now - caller.atMs) / 1000) * this.perSecond);
    caller.atMs = now;
    if (caller.tokens < 1) throw this.refusal(`This key may start ${this.perSecond} runs a second on this server`, 0);
    if (caller.inFlight >= this.maxInFlight) {
      throw this.refusal(`${this.maxInFlight} starts of this key are waiting for the database already`, Math.floor(caller.tokens));
    }
    caller.tokens -= 1;
    caller.inFlight += 1;
    return Math.floor(caller.tokens);
  }

  leave(callerId: string): void {
    const caller = this.callers.get(callerId);
    if (caller !== undefined) caller.inFlight -= 1;
  }

  private callerOf(id: string): Caller {
    const known = this.callers.get(id);
    if (known !== undefined) return known;
    if (this.callers.size >= MAX_CALLERS) this.forgetIdle();
    const caller = { tokens: this.perSecond, atMs: this.now(), inFlight: 0 };
    this.callers.set(id, caller);
    return caller;
  }

  private forgetIdle(): void {
    for (const [id, caller] of this.callers) if (caller.inFlight === 0) this.callers.delete(id);
  }

  private refusal(why: string, left: number): RequestRefusal {
    return new RequestRefusal("rate-limited", `${why}; try again in a second, with the same Idempotency-Key.`, {
      retryAfterMs: 1_000,
      headers: { "ratelimit-policy": this.policy, ratelimit: `"runs";r=${left};t=1` },
    });
  }
}
