import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "./report.ts";
import type { Simulator } from "./simulator.ts";

/** Runs under way at the kill. */
export const KILLED_RUNS = 40;
const PATIENCE_MS = 60_000;

export interface Crashable {
  /** Begins `KILLED_RUNS` runs of W3. */
  begin(): Promise<void>;
  /** SIGKILL for all its processes (not for PostgreSQL). */
  crash(): Promise<void>;
  /** Starts it again. Resolves when all runs have ended. */
  resume(): Promise<unknown>;
}

/**
 * Shows that an engine is durable: it is killed the moment the last of its runs makes its third call, and started again. Only the third calls may be made
 * again; a call more is a finished step whose result was not durable before the next call.
 */
export async function survivesKill(simulator: Simulator, engine: Crashable): Promise<Pick<Row, "measured" | "value" | "goal" | "met">> {
  await simulator.forget();
  try {
    await simulator.setLatency("1s");
    await engine.begin();
    for (const until = Date.now() + PATIENCE_MS; (await simulator.requests()) < 3 * KILLED_RUNS; await sleep(5)) {
      if (Date.now() > until) throw new Error(`its runs did not reach their third calls within ${PATIENCE_MS / 1000} s`);
    }
  } finally {
    await engine.crash();
    await simulator.setLatency("0ms");
  }
  await engine.resume();
  const repeated = (await simulator.requests()) - 4 * KILLED_RUNS;
  return {
    measured:
      repeated < 0
        ? `at least ${-repeated} of ${KILLED_RUNS} runs were not continued`
        : `${KILLED_RUNS} of ${KILLED_RUNS} runs ended, ${repeated} finished steps repeated`,
    value: repeated,
    goal: "0 repeated, all end",
    met: repeated === 0,
  };
}
