import { setTimeout as sleep } from "node:timers/promises";
import { FlowRunError } from "@flow-run/spec";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Starts what needs PostgreSQL, again and again while that is away, also when it goes away in the middle: a failed start has left nothing behind. Throws code
 * `database-unavailable` when the time is up, and at once what waiting does not mend.
 */
export async function waitForDatabase<T>(
  start: () => Promise<T>,
  { forMs, onWaiting }: { forMs: number; onWaiting(reason: string, leftMs: number): void },
): Promise<T> {
  const untilMs = performance.now() + forMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await start();
    } catch (error) {
      if (!FlowRunError.isInstance(error) || !error.retryable) throw error;
      if (performance.now() + pauseMs > untilMs) {
        throw new FlowRunError(
          "database-unavailable",
          `PostgreSQL did not answer within ${forMs / 1000} s (${reasonOf(error)}). Start it, or check DATABASE_URL; --database-wait sets how long to wait.`,
          { cause: error, retryable: true },
        );
      }
      onWaiting(reasonOf(error), untilMs - performance.now());
      await sleep(pauseMs);
    }
  }
}

/** The driver's own words. */
function reasonOf(error: FlowRunError): string {
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
