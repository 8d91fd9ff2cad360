import type { Clock } from "../resilience/clock.ts";

interface Sleeper {
  at: number;
  wake(): void;
}

/** Time that stands still until it is told to move. */
export class ManualClock implements Clock {
  private time = 1_000_000;
  private sleepers: Sleeper[] = [];
  private readonly watchers: (() => void)[] = [];
  /** How long was slept for, in order of asking. */
  readonly slept: number[] = [];

  now(): number {
    return this.time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.time + ms, wake: resolve };
      this.slept.push(ms);
      this.sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
      for (const watcher of this.watchers.splice(0)) watcher();
    });
  }

  /** Resolves when somebody sleeps for exactly that long. */
  async untilSleeping(ms: number): Promise<void> {
    while (!this.sleepers.some((sleeper) => sleeper.at === this.time + ms)) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  /** Resolves when whatever was awake has had its turn and somebody sleeps. */
  async untilAsleep(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.sleepers.length === 0);
  }

  advance(ms: number): void {
    this.time += ms;
    const due = this.sleepers.filter((sleeper) => sleeper.at <= this.time);
    this.sleepers = this.sleepers.filter((sleeper) => sleeper.at > this.time);
    for (const sleeper of due.sort((a, b) => a.at - b.at)) sleeper.wake();
  }
}

/** Never makes anybody wait, but keeps the longest sleep (the timeout) asleep: for retries whose waiting is not what is tested. */
export class ImpatientClock implements Clock {
  readonly slept: number[] = [];
  private readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  now(): number {
    return 1_000_000;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (ms !== this.timeoutMs) {
      this.slept.push(ms);
      return Promise.resolve();
    }
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
  }
}
