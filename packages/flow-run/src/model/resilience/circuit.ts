import { ModelCallError, type ModelCallErrorCode } from "../model-call-error.ts";

/** Signs that the provider is down. A refused key or a rate limit says that it is alive. */
const OUTAGES: ReadonlySet<ModelCallErrorCode> = new Set([
  "provider-unreachable",
  "provider-timeout",
  "provider-error",
  "stream-interrupted",
]);

const REMEMBERED = 20;
const FEWEST = 10;
const THRESHOLD = 0.8;
const PROBE_AFTER_MS = 10_000;

/** What an attempt says of its target; null: nothing, for example because we broke it off. */
export type Verdict = "alive" | "down" | null;

export function verdictOn(error: unknown): Verdict {
  if (!ModelCallError.is(error) || error.code === "aborted") return null;
  return OUTAGES.has(error.code) ? "down" : "alive";
}

/**
 * Remembers that a target is down, so that callers with a fallback do not each find out by timeout. It opens when more than 8 of 10 of the last
 * twenty attempts met an outage, lets one probe through every 10 s, and closes with the first attempt, a probe or not, that finds the target alive.
 */
export class Circuit {
  private recent: boolean[] = [];
  private openedAtMs: number | null = null;
  private probing = false;

  /** Whether somebody who can go elsewhere should. False also for whoever may be the next probe. */
  isOpen(nowMs: number): boolean {
    return this.openedAtMs !== null && (this.probing || nowMs - this.openedAtMs < PROBE_AFTER_MS);
  }

  /** An attempt begins. Call what it returns with what the attempt found, once. */
  begin(nowMs: number): (verdict: Verdict, nowMs: number) => void {
    const isProbe = this.openedAtMs !== null && !this.isOpen(nowMs);
    if (isProbe) this.probing = true;
    return (verdict, endedAtMs) => {
      if (isProbe) this.probing = false;
      if (verdict === "alive") this.foundAlive();
      else if (verdict === "down") this.foundDown(isProbe, endedAtMs);
    };
  }

  private foundAlive(): void {
    if (this.openedAtMs !== null) this.recent = [];
    this.openedAtMs = null;
    this.remember(true);
  }

  private foundDown(isProbe: boolean, nowMs: number): void {
    this.remember(false);
    const failed = this.recent.filter((alive) => !alive).length;
    const isDown = this.recent.length >= FEWEST && failed > THRESHOLD * this.recent.length;
    // Attempts that began before it opened, or had nowhere else to go, do not put the next probe off.
    if (isProbe || (this.openedAtMs === null && isDown)) this.openedAtMs = nowMs;
  }

  private remember(alive: boolean): void {
    this.recent.push(alive);
    if (this.recent.length > REMEMBERED) this.recent.shift();
  }
}
