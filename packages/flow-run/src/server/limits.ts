/** What the server allows itself and its callers. Every number can be set; these defaults suit one process. */
export interface Limits {
  /** Bytes of a request's body. */
  bodyBytes: number;
  /** Bytes of a bundle that is deployed. */
  bundleBytes: number;
  /** Levels of nesting in a body. */
  jsonDepth: number;
  /** Open connections; further ones are closed at once. */
  connections: number;
  /** Milliseconds in which the header of a request must have arrived. */
  headersTimeoutMs: number;
  /** Milliseconds in which the whole request must have arrived. */
  requestTimeoutMs: number;
  /** Longest `wait`, in seconds. */
  waitSeconds: number;
  /** Runs that one key may start each second. */
  submitsPerSecond: number;
  /** Runs of one key that may wait for their commit at the same time. */
  submitsInFlight: number;
  /** Open event streams of one key. */
  streamsPerKey: number;
  /** Bytes that may wait for a reader of an event stream before it is dropped. */
  streamBufferBytes: number;
  /** Milliseconds between two signs of life on an event stream. */
  keepAliveMs: number;
  /** Milliseconds that requests under way get to finish when the server closes. */
  closeGraceMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 1_048_576,
  bundleBytes: 32 * 1_048_576,
  jsonDepth: 100,
  connections: 20_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  waitSeconds: 60,
  submitsPerSecond: 20_000,
  submitsInFlight: 10_000,
  streamsPerKey: 1_000,
  streamBufferBytes: 1_048_576,
  keepAliveMs: 15_000,
  closeGraceMs: 10_000,
};
