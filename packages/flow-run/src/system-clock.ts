import type { Clock } from "./engine/index.ts";

/** Node.js fires a timer beyond this at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of this machine. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    timer: (ms, callback) => {
      let timer: NodeJS.Timeout;
      const set = (leftMs: number) => {
        timer =
          leftMs > LONGEST_TIMER_MS ? setTimeout(() => set(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS) : setTimeout(callback, leftMs);
      };
      set(ms);
      return () => clearTimeout(timer);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => {
          clearTimeout(timer);
          reject(signal!.reason);
        };
        let timer: NodeJS.Timeout;
        const sleep = (leftMs: number) => {
          timer = setTimeout(
            () => {
              if (leftMs > LONGEST_TIMER_MS) return sleep(leftMs - LONGEST_TIMER_MS);
              signal?.removeEventListener("abort", onAbort);
              resolve();
            },
            Math.min(leftMs, LONGEST_TIMER_MS),
          );
        };
        sleep(ms);
        signal?.addEventListener("abort", onAbort, { once: true });
      }),
  };
}
