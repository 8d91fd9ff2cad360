import type { Clock } from "./clock.ts";
import { Interruption } from "./interruption.ts";

interface Blocked {
  look(): void;
  suspend(): void;
}

/** Counts what a run has under way, and notices when nothing is left but waits: then the run can leave the process. */
export class Standstill {
  /** Where the run stood when it was suspended. */
  paths: readonly string[] = [];
  private readonly clock: Clock;
  private readonly blocked = new Map<string, Blocked>();
  private underWay = 0;
  private looking = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** While the work goes on, the run stays in memory. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.underWay++;
    try {
      return await work();
    } finally {
      this.underWay--;
      this.lookSoon();
    }
  }

  /** Resolves when there is a reason to look at the wait again: `ms` are over, or `lookAgain`. Rejects when the run is suspended, and when `signal` aborts. */
  async block(path: string, ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const reason = Promise.withResolvers<void>();
    const over = new AbortController();
    this.blocked.set(path, {
      look: () => reason.resolve(),
      suspend: () => reason.reject(new Interruption("waiting", "The run waits; it goes on when it is woken.")),
    });
    this.lookSoon();
    try {
      await Promise.race([reason.promise, this.clock.sleep(ms, AbortSignal.any([signal, over.signal]))]);
    } finally {
      this.blocked.delete(path);
      over.abort();
    }
  }

  /** A wait may have been delivered. */
  lookAgain(): void {
    for (const wait of this.blocked.values()) wait.look();
  }

  /** What follows an action begins before the next turn of the event loop; only then is it certain that nothing does. */
  private lookSoon(): void {
    if (this.looking || !this.standsStill()) return;
    this.looking = true;
    setImmediate(() => {
      this.looking = false;
      if (!this.standsStill()) return;
      this.paths = [...this.blocked.keys()];
      for (const wait of this.blocked.values()) wait.suspend();
    });
  }

  private standsStill(): boolean {
    return this.underWay === 0 && this.blocked.size > 0;
  }
}
