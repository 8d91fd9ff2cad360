import type { Json, JsonSchema, RunError, TokenUsage } from "@flow-run/spec";

/** A finished step. Recorded once per path and never changed; a resumed run reads it instead of doing the work again. */
export interface StepRecord {
  /** For example `draft`, `facts[2]`, `draft.model`. */
  path: string;
  /** Ordinal within the run, from 1, in the order of recording. */
  seq: number;
  kind: string;
  status: "succeeded" | "failed" | "skipped";
  input: Json;
  output: Json;
  error: RunError | null;
  /** Epoch milliseconds by the engine's clock. */
  startedAtMs: number;
  finishedAtMs: number;
}

/** An LLM request about to be sent. Written before the first byte leaves, so that no bill is ever unknown to the ledger. */
export interface AttemptStart {
  id: string;
  stepPath: string;
  /** From 1 within the step, over retries, fallbacks, repairs and resumed executions. */
  number: number;
  provider: string;
  model: string;
  startedAtMs: number;
  /** What it may cost, where limits count it: holds until its bill is known. Tokens of all buckets together. */
  estimate?: { costNanoUsd: number | null; tokens: number } | null;
  /** Answered from the response cache: nothing is sent, it costs nothing, and it has ended with its beginning. */
  cached?: boolean;
}

/** What became of an attempt. Booked even when the run has meanwhile another owner. */
export interface AttemptEnd {
  id: string;
  status: "succeeded" | "failed";
  usage: TokenUsage | null;
  rawUsage: Json;
  /** Integer nano-dollars; null when price or usage is unknown. */
  costNanoUsd: number | null;
  priceVersion: string | null;
  error: { code: string; message: string; retryable: boolean } | null;
  finishReason: string | null;
  responseModel: string | null;
  timeToFirstTokenMs: number | null;
  finishedAtMs: number;
}

export interface RunEnd {
  status: "succeeded" | "failed" | "cancelled";
  output: Json;
  error: RunError | null;
}

/** What a run already did, as read when it is claimed. */
export interface RecordedRun {
  steps: StepRecord[];
  /** Bytes of JSON that their inputs and outputs take. */
  recordedSize: number;
  /** Highest attempt number so far by step path, of attempts of steps that are not finished. */
  attempts: { [stepPath: string]: number };
  /** What attempts with an estimate count for in limits, by step path: their bill, else their estimate. */
  spentBySteps: { [stepPath: string]: { costNanoUsd: number; tokens: number } };
  /** Of a replay from a step with another input: taken in place of what the step's expressions give. */
  givenInput?: GivenInput;
}

export interface GivenInput {
  path: string;
  input: Json;
}

/** A wait that a run comes to. */
export interface WaitToStand {
  /** Of its step. */
  path: string;
  /** null: waits for the time alone. */
  signal: string | null;
  /** From the moment it is first opened. */
  dueInMs: number;
  /** What the signal's payload must fit. */
  payloadSchema: JsonSchema | null;
}

/** How a wait stands by the database's clock. Delivered and due exclude each other: a due wait takes no signal. */
export interface WaitState {
  delivered: boolean;
  /** Of the signal; null before. */
  payload: Json;
  /** 0 when it is due. */
  remainingMs: number;
}

/** Waits that outlive the process. All methods reject as `Journal.commit` does. */
export interface DurableWaits {
  /** Opens a wait after committing what was queued before. One that is open already, also by an earlier owner, is left as it is. */
  open(wait: WaitToStand): Promise<WaitState>;
  /** Gives a wait up. */
  close(path: string): Promise<void>;
  /**
   * Gives the run out of our hands until one of these waits was delivered or is due, or `deadlineMs` (epoch milliseconds) has come. If that is so already,
   * the run is queued again at once. Its owner must stop afterwards.
   */
  suspend(paths: readonly string[], deadlineMs: number | null): Promise<void>;
}

/**
 * The durable record of one run, as its current owner sees it. `append…` only queues; `commit` makes everything queued durable, in order and
 * all or nothing. Nothing may leave the process (no request, no wait) before the commit that precedes it has resolved.
 *
 * `commit` rejects with `FencedError` when another owner has taken the run: the caller must stop at once. It rejects with code `not-storable` when the
 * database refuses a value: nothing of the commit is kept, the caller should fail the step or the run. Ends of attempts are booked all the same. While the
 * database is away, `commit` waits and tries again.
 */
export interface Journal {
  /**
   * Returns about how many UTF-16 units of JSON the step takes. Throws FlowRunError `too-large` or `too-nested` for a value that no record holds, and
   * queues nothing then.
   */
  appendStep(step: StepRecord): number;
  appendAttemptStart(attempt: AttemptStart): void;
  appendAttemptEnd(attempt: AttemptEnd): void;
  /** Throws as `appendStep` does. */
  appendEnd(end: RunEnd): void;
  commit(): Promise<void>;
  /** Absent where runs do not outlive the process. */
  readonly waits?: DurableWaits;
}
