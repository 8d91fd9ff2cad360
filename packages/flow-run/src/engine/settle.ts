/**
 * Runs jobs with at most `concurrency` at a time and returns their results in order. The first failure aborts the others' signal; it is thrown
 * only after every started job has settled, so that nothing goes on behind the caller's back.
 */
export async function allOrAbort<T>(
  jobs: readonly ((signal: AbortSignal) => Promise<T>)[],
  concurrency: number,
  signal: AbortSignal,
): Promise<T[]> {
  const controller = new AbortController();
  const forward = () => controller.abort(signal.reason);
  if (signal.aborted) forward();
  signal.addEventListener("abort", forward, { once: true });
  const results = new Array<T>(jobs.length);
  let next = 0;
  let failure: { error: unknown } | null = null;
  const lane = async () => {
    while (failure === null && next < jobs.length) {
      const index = next++;
      try {
        results[index] = await jobs[index]!(controller.signal);
      } catch (error) {
        failure ??= { error };
        controller.abort(error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, lane));
  } finally {
    signal.removeEventListener("abort", forward);
  }
  if (failure !== null) throw (failure as { error: unknown }).error;
  return results;
}
