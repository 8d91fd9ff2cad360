const BASE_MS = 250;
const CAP_MS = 20_000;

/** Beyond this a fallback is better than waiting; calls that have none and did not hear it themselves ask again after it. */
export const LONGEST_RETRY_AFTER_MS = 60_000;

/**
 * How long to wait before the next try, `retry` counting from 0: exponential with full jitter, so that callers who failed together do not come
 * back together; never earlier than the provider asked.
 */
export function backoffMs(retry: number, retryAfterMs: number | undefined, random: () => number): number {
  if (retryAfterMs !== undefined) return retryAfterMs + random() * BASE_MS;
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** retry);
}
