import { LONGEST_RETRY_AFTER_MS } from "./backoff.ts";
import { Circuit } from "./circuit.ts";
import type { Clock } from "./clock.ts";

/** Those who waited together do not all come back in the same moment. */
const SPREAD_MS = 500;

/** What all callers in a process know of one target: whether it is down, and until when it wants to be left alone. */
export class TargetState {
  readonly circuit = new Circuit();
  private repelsUntilMs = 0;
  private pausedUntilMs = 0;

  /** The provider said that it takes nothing for so long. */
  pause(ms: number, nowMs: number): void {
    this.repelsUntilMs = Math.max(this.repelsUntilMs, nowMs + ms);
    this.pausedUntilMs = Math.max(this.pausedUntilMs, nowMs + Math.min(ms, LONGEST_RETRY_AFTER_MS));
  }

  /** How long to wait before the next request, at most a minute: then it is time to ask again. */
  pausedForMs(nowMs: number): number {
    return Math.max(0, this.pausedUntilMs - nowMs);
  }

  /** Whether somebody who can go elsewhere should. */
  repels(nowMs: number): boolean {
    return this.circuit.isOpen(nowMs) || this.repelsUntilMs - nowMs > LONGEST_RETRY_AFTER_MS;
  }

  /** Rejects when the signal aborts. */
  async untilPauseIsOver(clock: Clock, random: () => number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = this.pausedForMs(clock.now());
      if (leftMs === 0) return;
      await clock.sleep(leftMs + random() * Math.min(SPREAD_MS, leftMs), signal);
    }
  }
}
