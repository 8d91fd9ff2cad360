import { isTerminal, type Run } from "@flow-run/spec";
import type { Store } from "../store/index.ts";

/**
 * Holds requests until their run has ended, without asking the database again and again: a waiter registers first, then reads, then sleeps until the store
 * tells that the run ended. When the store may have missed something, every run that is waited for is read once; the store gathers these reads.
 */
export class RunWaiter {
  private readonly store: Pick<Store, "getRun" | "onEnded">;
  private readonly sleeping = new Map<string, Set<() => void>>();
  private readonly unsubscribe: () => void;
  private draining = false;

  constructor(store: Pick<Store, "getRun" | "onEnded">) {
    this.store = store;
    this.unsubscribe = store.onEnded((runIds) => {
      for (const runId of runIds ?? [...this.sleeping.keys()]) this.wake(runId);
    });
  }

  /** The run once it has ended, or as it stands after `timeoutMs` or when the signal or a drain says that nobody waits any longer. null: no such run. */
  async wait(environment: string, runId: string, timeoutMs: number, signal: AbortSignal): Promise<Run | null> {
    let wake = () => {};
    let woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const onWake = () => wake();
    this.register(runId, onWake);
    let over = false;
    const giveUp = () => {
      over = true;
      wake();
    };
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      for (;;) {
        const run = await this.store.getRun(environment, runId);
        if (run === null || isTerminal(run.status) || over || this.draining || signal.aborted) return run;
        await woken;
        woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (over) wake();
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      this.unregister(runId, onWake);
    }
  }

  /** Requests that wait now, for tests and metrics. */
  get size(): number {
    let count = 0;
    for (const waiting of this.sleeping.values()) count += waiting.size;
    return count;
  }

  /** Lets everyone who waits go on with the run as it stands; later waits do not wait. */
  drain(): void {
    this.draining = true;
    for (const runId of [...this.sleeping.keys()]) this.wake(runId);
  }

  close(): void {
    this.drain();
    this.unsubscribe();
  }

  private wake(runId: string): void {
    for (const callback of [...(this.sleeping.get(runId) ?? [])]) callback();
  }

  private register(runId: string, callback: () => void): void {
    const waiting = this.sleeping.get(runId);
    if (waiting === undefined) this.sleeping.set(runId, new Set([callback]));
    else waiting.add(callback);
  }

  private unregister(runId: string, callback: () => void): void {
    const waiting = this.sleeping.get(runId);
    waiting?.delete(callback);
    if (waiting?.size === 0) this.sleeping.delete(runId);
  }
}
