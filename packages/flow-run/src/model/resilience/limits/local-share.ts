import { type Ask, allot, allotAlone, type Grant, LEASE_MS, type LimitState, type Pause, type Waiters } from "./allot.ts";
import { HeldPermits } from "./held-permits.ts";
import type { LimitSettings } from "./limit-settings.ts";
import type { ChangeState } from "./limit-states.ts";
import { RecentUse } from "./recent-use.ts";

/** Somebody who waits for a limit. */
export interface Wanting {
  sinceMs: number;
  tokens: number;
}

/** What a pass has taken of one limit. */
export interface Taken {
  slot: number;
  tokens: number;
}

/** While something is held or wanted, a process shows itself at least so often. */
const RENEW_MS = 800;

const NOTHING = { requests: 0, tokens: 0 };

/** How much more than the recent use is kept ready. */
const MARGIN = 1.25;

/** This process's part in one limit: what it holds, what it asks for, and when. */
export class LocalShare {
  readonly key: string;
  limits: LimitSettings;
  /** When it must be talked about next; Infinity: there is nothing to talk about. */
  dueAtMs = Number.POSITIVE_INFINITY;
  private readonly member: string;
  private readonly permits = new HeldPermits();
  private readonly use = new RecentUse();
  private places = 0;
  private leasedUntilMs = 0;
  private inUse = 0;
  private contended = false;
  /** While an ask is under way no more places are taken than it says. */
  private promised: number | null = null;
  /** What was refused is not asked for again before. */
  private refusedUntilMs = 0;
  private readonly heard: Pause[] = [];
  private lastState: LimitState | null = null;
  private clockOffsetMs = 0;

  constructor(key: string, limits: LimitSettings, member: string) {
    this.key = key;
    this.limits = limits;
    this.member = member;
  }

  /** What could be taken now; Infinity where nothing is limited. */
  available(nowMs: number): { requests: number; tokens: number; places: number } {
    const { concurrency, requestsPerMinute, tokensPerMinute } = this.limits;
    const { requests, tokens } = this.permits.available(nowMs);
    const places = nowMs < this.leasedUntilMs ? Math.min(this.places, this.promised ?? Number.POSITIVE_INFINITY) - this.inUse : 0;
    return {
      requests: requestsPerMinute === undefined ? Number.POSITIVE_INFINITY : requests,
      tokens: tokensPerMinute === undefined ? Number.POSITIVE_INFINITY : tokens,
      places: concurrency === undefined ? Number.POSITIVE_INFINITY : places,
    };
  }

  has(tokens: number, nowMs: number): boolean {
    const now = this.available(nowMs);
    return now.requests >= 1 && now.tokens >= tokens && now.places >= 1;
  }

  take(tokens: number, nowMs: number): Taken {
    this.inUse++;
    this.use.note(nowMs, tokens, this.inUse);
    const { requestsPerMinute, tokensPerMinute } = this.limits;
    const slot = this.permits.take(requestsPerMinute === undefined ? 0 : 1, tokensPerMinute === undefined ? 0 : tokens);
    return { slot, tokens: tokensPerMinute === undefined ? 0 : tokens };
  }

  /** `usedTokens`: the real number; undefined: the estimate stands. `sent` false: the permit was not used at all. */
  giveBack(taken: Taken, { sent, usedTokens }: { sent: boolean; usedTokens?: number | undefined }, nowMs: number): void {
    this.inUse--;
    if (!sent) this.permits.correct(taken.slot, this.limits.requestsPerMinute === undefined ? 0 : -1, -taken.tokens);
    else if (usedTokens !== undefined && this.limits.tokensPerMinute !== undefined)
      this.permits.correct(taken.slot, 0, usedTokens - taken.tokens);
    // A place that is another's now.
    if (this.contended && this.inUse >= this.places) this.isDueBy(nowMs);
    else if (!this.permits.isEmpty) this.isDueBy(nowMs + RENEW_MS);
  }

  /** A target wants to be left alone; the others should know. */
  hear(pause: Pause, nowMs: number): void {
    this.heard.push(pause);
    this.isDueBy(nowMs);
  }

  /** Somebody waits for more than there is. */
  isWanted(nowMs: number): void {
    this.isDueBy(Math.max(nowMs, this.refusedUntilMs));
  }

  /** An ask that gives back whatever is not in use. */
  farewell(nowMs: number): Ask {
    this.permits.available(Number.POSITIVE_INFINITY);
    this.use.forget();
    this.contended = true;
    return this.ask([], nowMs);
  }

  /** An ask for these waiters, oldest first. */
  ask(waiting: readonly Wanting[], nowMs: number): Ask {
    const { concurrency } = this.limits;
    const recent = this.use.read(nowMs);
    const spare = this.available(nowMs);
    const want = Math.max(this.inUse + waiting.length, recent.places);
    const keep = concurrency === undefined ? 0 : this.contended ? this.inUse : Math.max(this.inUse, Math.min(this.places, want));
    this.promised = Math.min(keep, this.places);
    // More permits than there can be places for would be of no use to anybody within their second.
    const usable = concurrency === undefined ? waiting.length : Math.max(0, this.places - this.inUse) + recent.requests + 1;
    const line = this.lineOf(waiting.slice(0, usable), spare, nowMs);
    const isBusy = recent.requests > 1;
    return {
      member: this.member,
      limits: this.limits,
      places: { keep, want },
      since: waiting.length === 0 ? null : nowMs - waiting[0]!.sinceMs,
      line,
      ahead: {
        requests: isBusy ? Math.max(0, Math.ceil(recent.requests * MARGIN) - spare.requests) : 0,
        tokens: isBusy ? Math.max(0, Math.ceil(recent.tokens * MARGIN) - spare.tokens) : 0,
      },
      corrections: this.permits.takeCorrections(),
      pauses: this.heard.splice(0),
    };
  }

  /** The change that an ask makes. The last one that was made counts. */
  changeFor(ask: Ask): { change: ChangeState; result(): { grant: Grant; state: LimitState; nowMs: number } | null } {
    let result: { grant: Grant; state: LimitState; nowMs: number } | null = null;
    return {
      change: (_key, before, nowMs) => {
        const { grant, state } = allot(before, ask, nowMs);
        result = { grant, state, nowMs };
        return state as unknown as ReturnType<ChangeState>;
      },
      result: () => result,
    };
  }

  granted(
    ask: Ask,
    { grant, state, nowMs: sharedMs }: { grant: Grant; state: LimitState; nowMs: number },
    askedAtMs: number,
    nowMs: number,
  ): void {
    this.lastState = state;
    this.clockOffsetMs = sharedMs - askedAtMs;
    this.receive(ask, grant, askedAtMs, nowMs);
  }

  /**
   * The others cannot be reached: goes on with the part that this process had. What it takes is charged when they can be reached again; what it
   * wanted to give back is lost, because the ask may have arrived all the same.
   */
  alone(ask: Ask, askedAtMs: number, nowMs: number): void {
    const owed = (buckets: [number, number][]) => buckets.filter(([, amount]) => amount > 0);
    for (const [slot, amount] of owed(ask.corrections.requests)) this.permits.correct(slot, amount, 0);
    for (const [slot, amount] of owed(ask.corrections.tokens)) this.permits.correct(slot, 0, amount);
    if (this.lastState === null) {
      this.promised = null;
      this.refusedUntilMs = nowMs + RENEW_MS;
      this.dueAtMs = nowMs + RENEW_MS;
      return;
    }
    const { state, grant } = allotAlone(
      this.lastState,
      { ...ask, corrections: { requests: [], tokens: [] } },
      askedAtMs + this.clockOffsetMs,
    );
    this.lastState = state;
    this.permits.correct(grant.slot, grant.requests, grant.tokens);
    this.receive(ask, grant, askedAtMs, nowMs);
    this.dueAtMs = Math.max(this.dueAtMs, nowMs + RENEW_MS);
  }

  private receive(ask: Ask, grant: Grant, askedAtMs: number, nowMs: number): void {
    const { concurrency, requestsPerMinute, tokensPerMinute } = this.limits;
    const requests = requestsPerMinute === undefined ? 0 : grant.requests;
    const tokens = tokensPerMinute === undefined ? 0 : grant.tokens;
    this.permits.receive(grant.slot, requests, tokens, askedAtMs);
    this.places = grant.places;
    this.promised = null;
    this.leasedUntilMs = askedAtMs + LEASE_MS;
    this.contended = grant.contended;
    const wanted = ask.line.reduce((sum, [, count, needed]) => ({ requests: sum.requests + count, tokens: sum.tokens + needed }), NOTHING);
    const lacksPlaces = concurrency !== undefined && grant.places < ask.places.want;
    const lacks =
      lacksPlaces ||
      (requestsPerMinute !== undefined && requests < wanted.requests) ||
      (tokensPerMinute !== undefined && tokens < wanted.tokens);
    const againInMs = lacksPlaces ? Math.min(grant.againInMs, grant.placesAgainInMs) : grant.againInMs;
    this.refusedUntilMs = lacks ? nowMs + againInMs : 0;
    const holds = grant.places > 0 || ask.places.keep > 0 || !this.permits.isEmpty;
    this.dueAtMs = lacks ? this.refusedUntilMs : holds ? nowMs + RENEW_MS : Number.POSITIVE_INFINITY;
  }

  private isDueBy(ms: number): void {
    this.dueAtMs = Math.min(this.dueAtMs, ms);
  }

  /** Who waits for more than there is at hand: the first alone, then in rows of growing length, so that any number fits into a few entries. */
  private lineOf(waiting: readonly Wanting[], spare: { requests: number; tokens: number }, nowMs: number): Waiters[] {
    const { requestsPerMinute, tokensPerMinute } = this.limits;
    if (requestsPerMinute === undefined && tokensPerMinute === undefined) return [];
    let { requests, tokens } = spare;
    const line: Waiters[] = [];
    let room = 1;
    for (const waiter of waiting) {
      const lacking = tokensPerMinute === undefined ? 0 : Math.max(0, waiter.tokens - tokens);
      tokens -= Math.min(tokens, waiter.tokens);
      requests--;
      if (requests >= 0 && lacking === 0) continue;
      const last = line.at(-1);
      if (last === undefined || last[1] >= room) {
        if (line.length > 1) room *= 2;
        line.push([nowMs - waiter.sinceMs, 1, lacking]);
      } else {
        last[1]++;
        last[2] += lacking;
      }
    }
    return line;
  }
}
