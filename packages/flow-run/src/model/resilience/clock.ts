/** Time, passed in so that tests and simulations own it. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back after `ms` milliseconds unless it is called off, by what is returned. Where there is none, `sleep` serves, at a higher price. */
  timer?(ms: number, callback: () => void): () => void;
}
