/** Time as the engine sees it, passed in so that tests can own it. */
export interface Clock {
  /** Epoch milliseconds. Only for records and durations: leases and deadlines of the queue are the database's. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back after `ms` milliseconds unless it is called off, by what is returned. Where there is none, `sleep` serves, at a higher price. */
  timer?(ms: number, callback: () => void): () => void;
}
