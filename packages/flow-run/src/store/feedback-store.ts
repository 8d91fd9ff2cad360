import type { Feedback } from "@flow-run/spec";

/** More than that no run takes. */
export const MOST_FEEDBACK = 1_000;

export interface NewFeedback {
  id: string;
  environment: string;
  /** Id of the run. */
  run: string;
  name: string;
  value: number | boolean | string;
  comment: string | null;
  /** Path of a step of the run. */
  step: string | null;
  author: string | null;
  idempotencyKey: string | null;
  /** SHA-256 (hex) of the canonical request; compared when the key was used before. */
  fingerprint: string;
}

/** What people and programs think of runs. Written once, never changed. */
export interface FeedbackStore {
  /**
   * `replayed`: the key was used before with the same request, and this is that feedback. null for an unknown run. Throws codes `idempotency-key-reused`,
   * `unknown-step`, `too-much-feedback`, `not-storable`.
   */
  add(feedback: NewFeedback): Promise<{ feedback: Feedback; replayed: boolean } | null>;
  /** The oldest first; null for an unknown run. */
  list(environment: string, run: string): Promise<Feedback[] | null>;
}
