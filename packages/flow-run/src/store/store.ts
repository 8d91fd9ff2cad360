import type { FlowKind, Json, JsonObject, JsonSchema, Run, RunStatus, Step } from "@flow-run/spec";
import type { CostStore } from "./cost-store.ts";
import type { FeedbackStore } from "./feedback-store.ts";
import type { Journal, RecordedRun } from "./journal.ts";
import type { Peers } from "./peers.ts";
import type { ReplayStore } from "./replay-store.ts";
import type { SharedResponseCache } from "./response-cache.ts";
import type { RetentionStore } from "./retention-store.ts";
import type { RunTaker } from "./run-taker.ts";
import type { ScheduleStore } from "./schedule-store.ts";
import type { WebhookStore } from "./webhook-store.ts";

export interface NewRun {
  id: string;
  environment: string;
  flow: string;
  kind: FlowKind;
  release: number;
  input: Json;
  tags: string[];
  /** Higher runs first. −100…100, default 0. */
  priority: number;
  idempotencyKey: string | null;
  /** SHA-256 (hex) of the canonical request; compared when the key was used before. */
  fingerprint: string;
  /** Told when the run ends: the delivery is written by the statement that ends it. Default: nobody. */
  webhook?: { url: string; includeOutput: boolean };
}

/** `replayed`: the key was used before with the same request, and this is that run. */
export interface SubmittedRun {
  run: Run;
  replayed: boolean;
}

/** A run that this worker now owns, until it ends it, releases it or loses its lease. */
export interface ClaimedRun extends RecordedRun {
  id: string;
  jobId: string;
  /** Grows with each claim; every write of the owner names it. */
  epoch: number;
  environment: string;
  flow: string;
  kind: FlowKind;
  release: number;
  input: Json;
  createdAtMs: number;
  /** First start of the run, over all owners, by the database's clock. */
  startedAtMs: number;
  /** From then until this claim, by the same clock: what has passed, however wrong this machine's own clock is. */
  elapsedMs: number;
  /** Booked by all owners so far. Tokens of all buckets together. */
  spent: { costNanoUsd: number; tokens: number };
  /** Claimed before without progress: it may be what ends its workers, and is not executed beside another suspect. */
  suspect: boolean;
}

export interface RunFilter {
  environment: string;
  flow?: string;
  /** Several: in any of these. */
  status?: RunStatus | readonly RunStatus[];
  /** Several: with all of these. */
  tag?: string | readonly string[];
  release?: number;
  /** Replays of this run. */
  replayOf?: string;
  /** Created then or later; ISO 8601. */
  from?: string;
  /** Created before; ISO 8601. */
  to?: string;
  /** The `nextCursor` of the page before. */
  cursor?: string;
  /** 1…200, default 50. */
  limit?: number;
}

/** A wait for which a signal would be taken now. */
export interface AwaitedSignal {
  name: string;
  /** Of its step. */
  path: string;
  payloadSchema: JsonSchema | null;
}

export interface ReleaseRow {
  environment: string;
  number: number;
  hash: string;
  author: string | null;
  message: string | null;
  commit: string | null;
  createdAt: string;
  current: boolean;
}

export interface ApiKeyRow {
  id: string;
  name: string;
  environment: string;
  scopes: string[];
  createdAt: string;
  revokedAt: string | null;
}

/**
 * All that the other rooms ask of the database. One implementation over two adapters (PostgreSQL, embedded PGlite).
 * Every method throws `StoreUnavailableError` (retryable, code `database-unavailable`) when the database cannot be reached in time.
 */
export interface Store {
  /** Commits the run and its job together; gathered with other submits of the same moment into one statement. Resolves after the commit. Throws codes `idempotency-key-reused`, `not-storable` (U+0000, lone surrogates). */
  submitRun(run: NewRun): Promise<SubmittedRun>;
  /** The run that an earlier submit with this key began, also when the release has changed since; null for an unused key. Throws code `idempotency-key-reused`. */
  findSubmitted(submitted: Pick<NewRun, "environment" | "idempotencyKey" | "fingerprint">): Promise<Run | null>;
  getRun(environment: string, id: string): Promise<Run | null>;
  /** Newest first. Throws code `invalid-cursor`. */
  listRuns(filter: RunFilter): Promise<{ runs: Run[]; nextCursor: string | null }>;
  /** Recorded steps, and those under way as far as they have left traces, in the order they began; null for an unknown run. */
  listSteps(environment: string, id: string): Promise<Step[] | null>;
  /** Ends a run that has not ended; its owner is fenced from then on. Throws code `not-cancellable`; null for an unknown run. */
  cancelRun(environment: string, id: string): Promise<Run | null>;

  /** What a run waits for, in the order of waiting; null for an unknown run. */
  awaitedSignals(environment: string, id: string): Promise<{ status: RunStatus; signals: AwaitedSignal[] } | null>;
  /** Hands a payload to the wait at `path` and, in the same transaction, the run to the queue if it only waits. False when nothing waits there any more. */
  deliverSignal(environment: string, id: string, path: string, payload: Json): Promise<boolean>;

  /** From now on `taker` is offered what this process accepts; returns how to stop that. One a process. */
  takeAccepted(taker: RunTaker): () => void;
  /**
   * Takes up to `limit` queued or abandoned runs: higher priorities first, but one run in ten is the one that has waited longest, for more than a minute.
   * Runs of flows and environments with limits are taken only while these have free slots.
   * Of runs that were claimed twice in a row without progress, `suspects` at most (default 1): the caller should execute one at a time. A run claimed too
   * often without progress is ended as failed (code `poisoned`) and not returned.
   */
  claimRuns(limit: number, options?: { suspects?: number }): Promise<ClaimedRun[]>;
  /** A journal over this run for its owner. Commits of all runs of the process are gathered into one statement. `onProgress`: steps were recorded. */
  journal(run: Pick<ClaimedRun, "id" | "epoch" | "jobId">, onProgress?: () => void): Journal;
  /** Prolongs the leases; returns the ids of runs whose lease is gone (another worker may own them, or they have ended). Uses a connection of its own. */
  heartbeat(runs: readonly Pick<ClaimedRun, "id" | "jobId" | "epoch">[]): Promise<string[]>;
  /** Hands runs back at once, for another worker to go on with (shutdown). */
  releaseRuns(runs: readonly Pick<ClaimedRun, "id" | "jobId" | "epoch">[]): Promise<void>;
  /** Gives a job back to every run that has not ended, does not wait, and has none. Returns how many there were. */
  requeueOrphans(): Promise<number>;
  /** Gives a job to every waiting run whose moment has come, by the database's clock. Returns how many there were. */
  requeueDueWaits(): Promise<number>;

  /** Calls back when there may be runs to claim: queued, or freed from a line by the end of another one, here or by another process. Coalesced; no polling. */
  onQueued(callback: () => void): () => void;
  /** Calls back with the id of a run that got a signal while it was under way, here or by another process; with `null` when any may have been missed. */
  onSignalled(callback: (runId: string | null) => void): () => void;
  /** Calls back with ids of runs that ended or were cancelled, here or in another process; with `null` after the connection was lost, when any may have been missed. */
  onEnded(callback: (runIds: readonly string[] | null) => void): () => void;

  /**
   * Freezes a bundle as the next release of the environment and makes it current. The same bundle as the current release changes nothing
   * (`changed: false`). Throws code `stale-plan` when `expectedCurrent` is given and something else is current (null: no release yet), `invalid-bundle` for text that cannot be stored.
   */
  deploy(release: {
    environment: string;
    bundle: JsonObject;
    /** The bundle's own content hash. */
    hash: string;
    author: string | null;
    message: string | null;
    commit: string | null;
    expectedCurrent?: number | null;
  }): Promise<{ release: ReleaseRow; previous: number | null; changed: boolean }>;
  /** The current release's number, null before the first deploy. Cheap: cached, and refreshed by notification. */
  currentRelease(environment: string): Promise<number | null>;
  getBundle(environment: string, release: number): Promise<JsonObject | null>;
  listReleases(environment: string): Promise<ReleaseRow[]>;

  createApiKey(key: { name: string; environment: string; scopes: string[]; sha256: string }): Promise<ApiKeyRow>;
  /** Also a revoked key, with `revokedAt`. Kept in memory; a revocation is known here at once, in other processes by notification, at the latest after 15 s. */
  findApiKey(sha256: string): Promise<ApiKeyRow | null>;
  listApiKeys(environment: string): Promise<ApiKeyRow[]>;
  revokeApiKey(environment: string, id: string): Promise<boolean>;

  readonly replays: ReplayStore;
  readonly feedback: FeedbackStore;
  /** What is started when, by itself. */
  readonly schedules: ScheduleStore;

  /** Deliveries of ends of runs, and what they are signed with. */
  readonly webhooks: WebhookStore;
  /** Answers of models that may be given again. */
  readonly cache: SharedResponseCache;

  /** What runs have cost. */
  readonly costs: CostStore;

  /** Takes away what environments no longer keep. */
  readonly retention: RetentionStore;

  /** The other processes on this database; null where there can be none. */
  readonly peers: Peers | null;

  /** Runs waiting to be claimed and the age of the oldest, for health and metrics. */
  queueDepth(): Promise<{ queued: number; oldestSeconds: number }>;
  /** One cheap statement; throws when the database does not answer. */
  ping(): Promise<void>;
  /** Waits a moment for what was handed in before, then stops everything. The database stays open: it belongs to whoever opened it. */
  close(): Promise<void>;
}
