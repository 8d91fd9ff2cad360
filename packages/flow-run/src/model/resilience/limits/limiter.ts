import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { LimitSettings } from "./limit-settings.ts";
import type { LimitStates } from "./limit-states.ts";
import { LocalShare, type Taken, type Wanting } from "./local-share.ts";

/** A limit that a request is subject to. */
export interface AppliedLimit {
  /** What shares it, for example a model's name in an environment. */
  key: string;
  limits: LimitSettings;
}

/** Leave to send one request. */
export interface Pass {
  /** Call once, when the request has ended. `sent` false: it was never sent. `usedTokens` undefined: the estimate stands. */
  leave(outcome: { sent: boolean; usedTokens?: number | undefined }): void;
}

export interface LimiterOptions {
  clock: Clock;
  states: LimitStates;
  /** Told when the states cannot be reached; the limiter goes on by itself. */
  onTrouble?(error: unknown, doing: string): void;
  /** Told again and again which targets want to be left alone for how long, as anybody who shares a limit has heard it. */
  onPause?(target: string, ms: number): void;
}

interface Waiter extends Wanting {
  admit(pass: Pass): void;
}

/** Those who are subject to the same limits, in order of coming. */
interface Line {
  shares: LocalShare[];
  waiters: Set<Waiter>;
}

/** No more of a line are looked at for one ask. */
const LONGEST_ASK = 2_000;

/**
 * Lets requests through at the pace of their limits. A waiting request holds nothing. All that is shared is talked over by one loop, which rests when
 * nobody is subject to a limit.
 */
export class Limiter {
  private readonly options: LimiterOptions;
  private readonly member = randomUUID().slice(0, 8);
  private readonly shares = new Map<string, LocalShare>();
  private readonly lines = new Map<string, Line>();
  private readonly closing = new AbortController();
  private loop: Promise<void> | null = null;
  private wake: AbortController | null = null;

  constructor(options: LimiterOptions) {
    this.options = options;
  }

  /** Resolves when the request may be sent; rejects with the signal's reason as soon as it aborts. Settings that changed hold from now on. */
  enter(applied: readonly AppliedLimit[], estimatedTokens: number, signal: AbortSignal): Promise<Pass> {
    const line = this.lineOf(applied);
    const now = this.options.clock.now();
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (line.waiters.size === 0 && canPass(line, estimatedTokens, now)) return resolve(this.pass(line, estimatedTokens, now));
      const leave = () => {
        line.waiters.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        sinceMs: now,
        tokens: estimatedTokens,
        admit(pass) {
          signal.removeEventListener("abort", leave);
          resolve(pass);
        },
      };
      line.waiters.add(waiter);
      signal.addEventListener("abort", leave, { once: true });
      this.askForWaiters(line, now);
      this.rouse();
    });
  }

  /** Tells all who share these limits that a target wants to be left alone. */
  tellPause(applied: readonly AppliedLimit[], target: string, ms: number): void {
    for (const share of this.lineOf(applied).shares) share.hear([target, ms], this.options.clock.now());
    this.rouse();
  }

  /** Gives back what is held. Call when nothing is under way any more. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.loop;
    const held = [...this.shares.values()].filter(({ dueAtMs }) => dueAtMs < Number.POSITIVE_INFINITY);
    if (held.length > 0) await this.talk(held, (share, now) => share.farewell(now));
  }

  private lineOf(applied: readonly AppliedLimit[]): Line {
    const shares = applied.map(({ key, limits }) => {
      const share = this.shares.get(key) ?? new LocalShare(key, limits, this.member);
      this.shares.set(key, share);
      share.limits = limits;
      return share;
    });
    const key = JSON.stringify(applied.map((limit) => limit.key));
    const line = this.lines.get(key) ?? { shares, waiters: new Set() };
    this.lines.set(key, line);
    return line;
  }

  private pass(line: Line, tokens: number, now: number): Pass {
    const taken = line.shares.map((share): [LocalShare, Taken] => [share, share.take(tokens, now)]);
    return {
      leave: (outcome) => {
        const leftAt = this.options.clock.now();
        for (const [share, what] of taken) share.giveBack(what, outcome, leftAt);
        this.admitWaiters();
        this.rouse();
      },
    };
  }

  /** Lines take turns to be first, for where they share a limit the first has the better place. */
  private admitWaiters(): void {
    const now = this.options.clock.now();
    const [first] = this.lines;
    if (first !== undefined && this.lines.size > 1) {
      this.lines.delete(first[0]);
      this.lines.set(...first);
    }
    for (const line of this.lines.values()) {
      for (const waiter of line.waiters) {
        if (!canPass(line, waiter.tokens, now)) break;
        line.waiters.delete(waiter);
        waiter.admit(this.pass(line, waiter.tokens, now));
      }
      this.askForWaiters(line, now);
    }
  }

  /** The first limit of the line that lacks something for its first waiter is asked. */
  private askForWaiters(line: Line, now: number): void {
    const [head] = line.waiters;
    if (head !== undefined) line.shares.find((share) => !share.has(head.tokens, now))?.isWanted(now);
  }

  private rouse(): void {
    if (this.wake !== null) this.wake.abort();
    else if (this.loop === null && !this.closing.signal.aborted && this.nextDueMs() < Number.POSITIVE_INFINITY) {
      this.loop = this.talkWhileNeeded().finally(() => {
        this.loop = null;
      });
    }
  }

  private nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { dueAtMs } of this.shares.values()) next = Math.min(next, dueAtMs);
    return next;
  }

  private async talkWhileNeeded(): Promise<void> {
    const { clock } = this.options;
    // What begins in the same turn of the event loop is talked about together.
    await Promise.resolve();
    while (!this.closing.signal.aborted) {
      const next = this.nextDueMs();
      if (next === Number.POSITIVE_INFINITY) return;
      const now = clock.now();
      if (next > now) {
        this.wake = new AbortController();
        await clock.sleep(next - now, AbortSignal.any([this.wake.signal, this.closing.signal])).catch(() => {});
        this.wake = null;
        continue;
      }
      await this.talk([...this.shares.values()].filter(({ dueAtMs }) => dueAtMs <= now));
      this.admitWaiters();
    }
  }

  private async talk(
    shares: readonly LocalShare[],
    ask = (share: LocalShare, now: number) => share.ask(this.waitingFor(share, now), now),
  ): Promise<void> {
    const { clock, states, onTrouble, onPause } = this.options;
    const askedAt = clock.now();
    const asks = new Map(shares.map((share) => [share.key, { share, ask: ask(share, askedAt) }]));
    const changes = new Map([...asks].map(([key, { share, ask }]) => [key, share.changeFor(ask)]));
    try {
      await states.change([...asks.keys()], (key, before, nowMs) => changes.get(key)!.change(key, before, nowMs));
      for (const [key, { share, ask }] of asks) {
        const result = changes.get(key)!.result()!;
        share.granted(ask, result, askedAt, clock.now());
        for (const pause of result.grant.pauses) onPause?.(...pause);
      }
    } catch (error) {
      onTrouble?.(error, "sharing the limits of models");
      for (const { share, ask } of asks.values()) share.alone(ask, askedAt, clock.now());
    }
  }

  /** Who waits for this limit and not for one before it: permits of a limit that stand by while another one is short would be lost to everybody. */
  private waitingFor(share: LocalShare, now: number): Wanting[] {
    const waiting: Wanting[] = [];
    for (const { shares, waiters } of this.lines.values()) {
      const at = shares.indexOf(share);
      if (at < 0 || waiters.size === 0) continue;
      const before = shares.slice(0, at).map((other) => other.available(now));
      let looked = 0;
      for (const waiter of waiters) {
        const passes = before.every((left) => left.requests >= 1 && left.tokens >= waiter.tokens && left.places >= 1);
        if (!passes || ++looked > LONGEST_ASK) break;
        waiting.push(waiter);
        for (const left of before) {
          left.requests--;
          left.tokens -= waiter.tokens;
          left.places--;
        }
      }
    }
    return waiting.sort((a, b) => a.sinceMs - b.sinceMs);
  }
}

function canPass(line: Line, tokens: number, now: number): boolean {
  return line.shares.every((share) => share.has(tokens, now));
}
