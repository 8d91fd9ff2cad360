import type { Json } from "@flow-run/spec";

/** An answer that may be given again. */
export interface CachedAnswer {
  /** The step's output: text, or the validated value of a structured prompt. */
  output: Json;
}

/** Which answer. Environments share nothing. */
export interface CacheKey {
  environment: string;
  /** SHA-256 (hex) of all that the answer depends on. */
  key: string;
  /** Answers that are older do not count. */
  ttlMs: number;
}

/** Answers of models, kept for a while. A cache: an answer that is gone, or a store that is away, is a model asked once more. */
export interface ResponseCache {
  /** Never rejects: what cannot be read is not there. */
  get(key: CacheKey): Promise<CachedAnswer | null>;
  /** Returns at once; what cannot be written is forgotten. */
  put(key: CacheKey, answer: CachedAnswer): void;
}

/** The cache that the workers of an installation share. */
export interface SharedResponseCache extends ResponseCache {
  /** Removes what is too old. Returns how many there were. */
  prune(): Promise<number>;
}
