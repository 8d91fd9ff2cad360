import type { Clock } from "./clock.ts";

/**
 * Runs the work with a signal that aborts when the outer one does or when the time is up; then throws what `expired` makes, whatever the
 * work made of the abort. No limit: the work runs under the outer signal.
 */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number | undefined,
  expired: () => Error,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined) return work(signal);
  const controller = new AbortController();
  const forward = () => controller.abort(signal.reason);
  if (signal.aborted) forward();
  signal.addEventListener("abort", forward, { once: true });
  const timer = new AbortController();
  let timeout: Error | null = null;
  clock.sleep(timeoutMs, timer.signal).then(
    () => {
      timeout = expired();
      controller.abort(timeout);
    },
    () => {},
  );
  try {
    return await work(controller.signal);
  } catch (error) {
    throw timeout !== null && !signal.aborted ? timeout : error;
  } finally {
    timer.abort();
    signal.removeEventListener("abort", forward);
  }
}
