import { FlowRunError, type Json, type JsonObject, type Run, type RunStatus, type Step } from "@flow-run/spec";
import { Callbacks } from "./callbacks.ts";
import type { CostStore } from "./cost-store.ts";
import type { Database, Subscription } from "./database/index.ts";
import { DatabaseFeedbackStore } from "./database-feedback-store.ts";
import { DatabaseJournal } from "./database-journal.ts";
import { DatabaseReplayStore } from "./database-replay-store.ts";
import { DatabaseResponseCache } from "./database-response-cache.ts";
import { DatabaseRetentionStore } from "./database-retention-store.ts";
import { DatabaseScheduleStore } from "./database-schedule-store.ts";
import { DatabaseWebhookStore } from "./database-webhook-store.ts";
import { Batcher } from "./group-commit/batcher.ts";
import { Recorder } from "./group-commit/recorder.ts";
import { keyReused, Submitter } from "./group-commit/submitter.ts";
import { WaitKeeper } from "./group-commit/wait-keeper.ts";
import { type Patience, persist } from "./group-commit/write-all.ts";
import type { Journal } from "./journal.ts";
import { Kept } from "./kept.ts";
import { listenForNotices } from "./notices.ts";
import { DatabasePeers } from "./peers.ts";
import { createApiKey, findApiKey, listApiKeys, revokeApiKey } from "./queries/api-keys.ts";
import { cancelRun } from "./queries/cancel-run.ts";
import { awaitedSignals, deliverSignal, deliverSignalSql } from "./queries/deliver-signal.ts";
import { deployRelease, type ReleaseToDeploy } from "./queries/deploy-release.ts";
import { findSubmitted } from "./queries/find-submitted.ts";
import { getRuns, type RunName } from "./queries/get-runs.ts";
import { listRuns } from "./queries/list-runs.ts";
import { listSteps } from "./queries/list-steps.ts";
import { readCosts } from "./queries/read-costs.ts";
import { currentRelease, getBundle, listReleases } from "./queries/read-releases.ts";
import type { RunProgress } from "./queries/record-progress.ts";
import { releaseRuns } from "./queries/release-runs.ts";
import { DUE_BATCH, requeueDueWaits, requeueDueWaitsSql } from "./queries/requeue-due-waits.ts";
import { requeueOrphans, requeueOrphansSql } from "./queries/requeue-orphans.ts";
import { Claimer } from "./queue/claimer.ts";
import { readJobClaim } from "./queue/job-claim.ts";
import type { RunQueue } from "./queue/run-queue.ts";
import type { RunTaker } from "./run-taker.ts";
import { Statistics } from "./statistics.ts";
import { storeJson } from "./storable-json.ts";
import type { ApiKeyRow, AwaitedSignal, ClaimedRun, NewRun, ReleaseRow, RunFilter, Store, SubmittedRun } from "./store.ts";

export interface DatabaseStoreParts {
  database: Database;
  queue: RunQueue;
  /** Names this process in notifications. */
  sender: string;
  submitTimeoutMs: number;
  onTrouble(error: unknown, doing: string): void;
}

/** Reads are repeated for so long when a connection was lost. */
const READ_PATIENCE_MS = 2_000;

/** How long `close` waits for what was handed in before. */
const DRAIN_MS = 5_000;

/** Notifications keep what is remembered fresh; this bounds the harm of a lost one. */
const LONGEST_MEMORY_MS = 15_000;

type OwnedRun = Pick<ClaimedRun, "id" | "jobId" | "epoch">;

/** The store over either database: every hot write goes through a batcher, every other call is one statement or one transaction. */
export class DatabaseStore implements Store {
  readonly replays: DatabaseReplayStore;
  readonly feedback: DatabaseFeedbackStore;
  readonly webhooks: DatabaseWebhookStore;
  readonly cache: DatabaseResponseCache;
  readonly schedules: DatabaseScheduleStore;
  readonly peers: DatabasePeers | null;
  readonly costs: CostStore;
  readonly retention: DatabaseRetentionStore;
  private readonly parts: DatabaseStoreParts;
  private readonly closing = new AbortController();
  private readonly submitter: Submitter;
  private readonly recorder: Recorder;
  private readonly waits: WaitKeeper;
  private readonly claimer: Claimer;
  private readonly statistics: Statistics;
  private readonly finishedJobs: Batcher<string, null>;
  private readonly runReads: Batcher<RunName, Run | null>;
  private readonly queued: Callbacks<[]>;
  private readonly signalled: Callbacks<[string | null]>;
  private readonly ended: Callbacks<[readonly string[] | null]>;
  private readonly told: Callbacks<[from: string, message: string]>;
  private readonly missed: Callbacks<[]>;
  private readonly currentReleases = new Kept<number | null>(1_000, LONGEST_MEMORY_MS);
  private readonly bundles = new Kept<JsonObject | null>(32);
  private readonly apiKeys = new Kept<ApiKeyRow | null>(10_000, LONGEST_MEMORY_MS);
  private subscription: Subscription | null = null;
  private taker: RunTaker | null = null;

  constructor(parts: DatabaseStoreParts) {
    this.parts = parts;
    const { database, queue, sender, onTrouble } = parts;
    const { signal } = this.closing;
    this.queued = new Callbacks((error) => onTrouble(error, "telling of queued runs"));
    this.signalled = new Callbacks((error) => onTrouble(error, "telling of signals"));
    this.ended = new Callbacks((error) => onTrouble(error, "telling of ended runs"));
    this.told = new Callbacks((error) => onTrouble(error, "hearing what another process told"));
    this.missed = new Callbacks((error) => onTrouble(error, "telling that messages may be missing"));
    const onTold = (callback: (from: string, message: string) => void) => this.told.add(callback);
    const onMissed = (callback: () => void) => this.missed.add(callback);
    this.peers = database.kind === "pglite" ? null : new DatabasePeers({ database, sender, onTold, onMissed });
    this.costs = { report: (question) => this.read(() => readCosts(database, question)) };
    this.retention = new DatabaseRetentionStore(database);
    this.finishedJobs = new Batcher({ write: (jobIds) => this.removeJobs(jobIds), maxItems: 500, waitMs: 20 });
    this.runReads = new Batcher({ write: (names) => this.read(() => getRuns(database, names)), maxItems: 500, maxInFlight: 2 });
    this.statistics = new Statistics({ database, onTrouble });
    this.schedules = new DatabaseScheduleStore({ database, persist: (ask) => this.read(ask), onTrouble });
    this.cache = new DatabaseResponseCache({ database, onTrouble });
    this.webhooks = new DatabaseWebhookStore({ database, sender, persist: (ask) => this.read(ask), onTrouble });
    const onQueued = (count: number) => {
      this.queued.call();
      this.statistics.count(count);
    };
    const repeat = <Answer>(ask: () => Promise<Answer>) => this.read(ask);
    this.replays = new DatabaseReplayStore({ database, insertJobsSql: queue.insertJobsSql, sender, persist: repeat, onQueued });
    this.feedback = new DatabaseFeedbackStore({ database, persist: repeat });
    this.submitter = new Submitter({
      database,
      insertJobsSql: queue.insertJobsSql,
      sender,
      signal,
      giveUpAfterMs: parts.submitTimeoutMs,
      taker: () => this.taker,
      onAccepted: ({ queued, taken }) => {
        if (queued > 0) this.queued.call();
        this.statistics.count(queued + taken);
      },
    });
    this.recorder = new Recorder({ database, sender, signal, onEnded: (ids) => this.ended.call(ids), onTrouble });
    this.waits = new WaitKeeper({
      database,
      insertJobsSql: queue.insertJobsSql,
      sender,
      signal,
      onQueued: () => this.queued.call(),
      onTrouble,
    });
    this.claimer = new Claimer({
      database,
      queue,
      sender,
      signal,
      onEnded: (ids) => this.ended.call(ids),
      onFinishedJob: (jobId) => void this.finishedJobs.add(jobId),
      onSlow: () => this.statistics.doubt(),
      onTrouble,
    });
    this.ended.add(() => this.tellFreed());
  }

  async listen(): Promise<void> {
    this.subscription = await listenForNotices(this.parts.database, this.parts.sender, {
      queued: () => this.queued.call(),
      ended: (ids) => this.ended.call(ids),
      signalled: (id) => this.signalled.call(id),
      release: (environment) => {
        this.currentReleases.forget(environment);
        this.tellFreed();
        this.schedules.tellChanged();
      },
      apiKey: () => this.apiKeys.forget(),
      webhook: () => this.webhooks.tellDue(),
      told: (from, message) => this.told.call(from, message),
      missed: () => {
        this.missed.call();
        this.currentReleases.forget();
        this.apiKeys.forget();
        this.queued.call();
        this.ended.call(null);
        this.signalled.call(null);
        this.webhooks.tellDue();
        this.schedules.tellChanged();
      },
    });
  }

  submitRun(run: NewRun): Promise<SubmittedRun> {
    return this.submitter.submit(run);
  }

  async findSubmitted(submitted: Pick<NewRun, "environment" | "idempotencyKey" | "fingerprint">): Promise<Run | null> {
    // No run has an empty id: only the key can match.
    const [found] = await this.read(() => findSubmitted(this.parts.database, [{ ...submitted, id: "" }]));
    if (found && found.fingerprint !== submitted.fingerprint) throw keyReused();
    return found?.run ?? null;
  }

  async getRun(environment: string, id: string): Promise<Run | null> {
    return canExist(environment, id) ? this.runReads.add({ environment, id }) : null;
  }

  listRuns(filter: RunFilter): Promise<{ runs: Run[]; nextCursor: string | null }> {
    return this.read(() => listRuns(this.parts.database, filter));
  }

  async listSteps(environment: string, id: string): Promise<Step[] | null> {
    return canExist(environment, id) ? this.read(() => listSteps(this.parts.database, environment, id)) : null;
  }

  async cancelRun(environment: string, id: string): Promise<Run | null> {
    if (!canExist(environment, id)) return null;
    let mayBeOurs = false;
    const jobId = await this.read((repeated) => {
      mayBeOurs = repeated;
      return cancelRun(this.parts.database, this.parts.sender, environment, id);
    });
    const run = await this.getRun(environment, id);
    if (jobId !== null) {
      void this.finishedJobs.add(jobId);
      setImmediate(() => this.ended.call([id]));
      return run;
    }
    // Cancelled by the first try, whose answer was lost.
    if (run === null || (mayBeOurs && run.status === "cancelled")) return run;
    throw new FlowRunError("not-cancellable", `Run ${id} has already ended (${run.status}); there is nothing left to cancel.`);
  }

  async awaitedSignals(environment: string, id: string): Promise<{ status: RunStatus; signals: AwaitedSignal[] } | null> {
    return canExist(environment, id) ? this.read(() => awaitedSignals(this.parts.database, environment, id)) : null;
  }

  async deliverSignal(environment: string, id: string, path: string, payload: Json): Promise<boolean> {
    const { database, queue, sender } = this.parts;
    const signal = { environment, id, path, payload: storeJson(payload) };
    let mayBeOurs = false;
    const answer = await this.read((repeated) => {
      mayBeOurs = repeated;
      return deliverSignal(database, deliverSignalSql(queue.insertJobsSql), sender, signal);
    });
    if (answer.requeued) this.queued.call();
    else if (answer.delivered) this.signalled.call(id);
    // Delivered by the first try, whose answer was lost.
    return answer.delivered || (mayBeOurs && answer.sameBefore);
  }

  takeAccepted(taker: RunTaker): () => void {
    this.taker = taker;
    return () => {
      if (this.taker === taker) this.taker = null;
    };
  }

  claimRuns(limit: number, { suspects = 1 }: { suspects?: number } = {}): Promise<ClaimedRun[]> {
    return this.claimer.claim(limit, suspects);
  }

  journal(run: OwnedRun, onProgress?: () => void): Journal {
    const record = async (progress: RunProgress) => {
      await this.recorder.record(progress);
      if (progress.steps.length > 0) onProgress?.();
      if (progress.end) void this.finishedJobs.add(readJobClaim(run.jobId).id);
    };
    return new DatabaseJournal(run, record, (owned, commit) => this.waits.of(owned, commit));
  }

  async heartbeat(runs: readonly OwnedRun[]): Promise<string[]> {
    if (runs.length === 0) return [];
    const held = await this.parts.queue.touch(runs.map((run) => readJobClaim(run.jobId)));
    return runs.filter((run) => !held.has(readJobClaim(run.jobId).id)).map((run) => run.id);
  }

  async releaseRuns(runs: readonly OwnedRun[]): Promise<void> {
    if (runs.length === 0) return;
    await this.read(() => releaseRuns(this.parts.database, runs));
    await this.read(() => this.parts.queue.giveBack(runs.map((run) => readJobClaim(run.jobId))));
    await this.announceQueued();
  }

  async requeueOrphans(): Promise<number> {
    const count = await requeueOrphans(this.parts.database, requeueOrphansSql(this.parts.queue.insertJobsSql), this.parts.sender);
    if (count > 0) this.queued.call();
    return count;
  }

  async requeueDueWaits(): Promise<number> {
    const { database, queue, sender } = this.parts;
    const sql = requeueDueWaitsSql(queue.insertJobsSql);
    let total = 0;
    for (let count = DUE_BATCH; count === DUE_BATCH; total += count) count = await requeueDueWaits(database, sql, sender);
    if (total > 0) this.queued.call();
    return total;
  }

  onSignalled(callback: (runId: string | null) => void): () => void {
    return this.signalled.add(callback);
  }

  onQueued(callback: () => void): () => void {
    return this.queued.add(callback);
  }

  onEnded(callback: (runIds: readonly string[] | null) => void): () => void {
    return this.ended.add(callback);
  }

  async deploy(release: ReleaseToDeploy): Promise<{ release: ReleaseRow; previous: number | null; changed: boolean }> {
    const deployed = await deployRelease(this.parts.database, this.parts.sender, release);
    this.currentReleases.forget(release.environment);
    this.tellFreed();
    this.schedules.tellChanged();
    return deployed;
  }

  currentRelease(environment: string): Promise<number | null> {
    return this.currentReleases.get(environment, () => this.read(() => currentRelease(this.parts.database, environment)));
  }

  async getBundle(environment: string, release: number): Promise<JsonObject | null> {
    const key = `${release} ${environment}`;
    const bundle = await this.bundles.get(key, () => this.read(() => getBundle(this.parts.database, environment, release)));
    if (bundle === null) this.bundles.forget(key);
    return bundle;
  }

  listReleases(environment: string): Promise<ReleaseRow[]> {
    return this.read(() => listReleases(this.parts.database, environment));
  }

  async createApiKey(key: { name: string; environment: string; scopes: string[]; sha256: string }): Promise<ApiKeyRow> {
    const row = await createApiKey(this.parts.database, this.parts.sender, key);
    this.apiKeys.forget();
    return row;
  }

  findApiKey(sha256: string): Promise<ApiKeyRow | null> {
    return this.apiKeys.get(sha256, () => this.read(() => findApiKey(this.parts.database, sha256)));
  }

  listApiKeys(environment: string): Promise<ApiKeyRow[]> {
    return this.read(() => listApiKeys(this.parts.database, environment));
  }

  async revokeApiKey(environment: string, id: string): Promise<boolean> {
    const revoked = await revokeApiKey(this.parts.database, this.parts.sender, environment, id);
    this.apiKeys.forget();
    return revoked;
  }

  queueDepth(): Promise<{ queued: number; oldestSeconds: number }> {
    return this.parts.queue.depth();
  }

  async ping(): Promise<void> {
    await this.parts.database.query("SELECT 1");
  }

  /** Waits a moment for what was handed in before, then stops everything. The database itself stays open: it belongs to whoever opened it. */
  async close(): Promise<void> {
    const drained = Promise.all([this.submitter.drain(), this.recorder.drain(), this.waits.drain(), this.cache.drain()]).then(() =>
      this.finishedJobs.drain(),
    );
    await withinMs(drained, DRAIN_MS);
    this.closing.abort();
    await this.statistics.close();
    await this.subscription?.close();
    await this.parts.queue.close();
  }

  /** Slots may be free for runs that stand in line. */
  private tellFreed(): void {
    if (this.claimer.heldBack) this.queued.call();
  }

  private read<Answer>(ask: (repeated: boolean) => Promise<Answer>): Promise<Answer> {
    return persist(ask, { signal: this.closing.signal, giveUpAfterMs: READ_PATIENCE_MS });
  }

  /** Late or never does no harm: a job of an ended run is removed by whoever fetches it. */
  private async removeJobs(jobIds: readonly string[]): Promise<null[]> {
    const patience: Patience = { signal: this.closing.signal, giveUpAfterMs: 30_000 };
    await persist(() => this.parts.queue.remove(jobIds), patience).catch((error) =>
      this.parts.onTrouble(error, "removing jobs of ended runs"),
    );
    return jobIds.map(() => null);
  }

  private async announceQueued(): Promise<void> {
    const { database, sender } = this.parts;
    await database.query("SELECT pg_notify('flow_run', $1::text || ' queued')", [sender]);
    this.queued.call();
  }
}

/** No name with U+0000 can have been stored; asking the database would fail. */
function canExist(...names: string[]): boolean {
  return !names.some((name) => name.includes("\u0000"));
}

async function withinMs(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
