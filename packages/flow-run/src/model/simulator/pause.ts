/** Resolves after so many milliseconds (null: never), or as soon as the signal is aborted. Never rejects. */
export function pause(ms: number | null, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = ms === null ? undefined : setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
