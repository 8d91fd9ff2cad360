import type { Clock } from "./clock.ts";

/**
 * At most so many tokens a minute, refilled evenly. A request reserves what it is expected to use and settles when the real number is known; the
 * level may sink below zero, and later requests wait for it. First come, first served.
 */
export class TokenBucket {
  private readonly perMinute: number;
  private level: number;
  private filledAtMs: number | null = null;
  private tail: Promise<void> = Promise.resolve();

  constructor(perMinute: number) {
    this.perMinute = perMinute;
    this.level = perMinute;
  }

  /** Waits until there is room. Rejects as soon as the signal aborts; those behind move up. */
  async reserve(tokens: number, signal: AbortSignal, clock: Clock): Promise<void> {
    const before = this.tail;
    let leave!: () => void;
    this.tail = new Promise((resolve) => {
      leave = resolve;
    });
    try {
      await untilAborted(before, signal);
      // A request larger than the whole bucket goes when the bucket is full.
      const wanted = Math.min(tokens, this.perMinute);
      for (let missing = wanted - this.fill(clock); missing > 0; missing = wanted - this.fill(clock)) {
        await clock.sleep(Math.ceil((missing / this.perMinute) * 60_000), signal);
      }
      this.level -= tokens;
      leave();
    } catch (error) {
      // Those behind may go only after those before, though this one is gone.
      before.then(leave, leave);
      throw error;
    }
  }

  settle(reserved: number, used: number): void {
    this.level += reserved - used;
  }

  private fill(clock: Clock): number {
    const now = clock.now();
    const elapsed = Math.max(0, now - (this.filledAtMs ?? now));
    this.filledAtMs = now;
    this.level = Math.min(this.perMinute, this.level + (elapsed / 60_000) * this.perMinute);
    return this.level;
  }
}

function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, reject);
  });
}
