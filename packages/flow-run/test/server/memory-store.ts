import { FlowRunError, isTerminal, type Json, type JsonObject, type Run, type Step } from "@flow-run/spec";
import {
  type ApiKeyRow,
  type AwaitedSignal,
  type NewRun,
  type ReleaseRow,
  type ReplayStore,
  type RunFilter,
  type Store,
  StoreUnavailableError,
} from "../../src/store/index.ts";

interface Kept {
  run: Run;
  idempotencyKey: string | null;
  fingerprint: string;
  steps: Step[];
}

/** A store in memory whose moments a test decides: what ends when, when the database is away, when a commit comes through. Executes nothing. */
export class MemoryStore implements Store {
  readonly peers = null;
  readonly costs = { report: () => Promise.reject(new Error("This store adds nothing up.")) };
  readonly retention = { environments: async () => [], prune: async () => null, pruneKeys: async () => ({ seen: 0, pruned: 0 }) };
  readonly runs = new Map<string, Kept>();
  private readonly releases = new Map<string, { row: ReleaseRow; bundle: JsonObject }[]>();
  private readonly keys: { row: ApiKeyRow; sha256: string }[] = [];
  private readonly endedCallbacks = new Set<(ids: readonly string[] | null) => void>();
  /** What runs wait for, by id. */
  readonly waits = new Map<string, AwaitedSignal[]>();
  readonly delivered: { id: string; path: string; payload: Json }[] = [];
  /** Calls of each method so far. */
  readonly calls: Record<string, number> = {};
  private away = false;
  private commitGate: Promise<void> = Promise.resolve();

  /** From now on every call throws `StoreUnavailableError`. */
  goAway(): void {
    this.away = true;
  }

  comeBack(): void {
    this.away = false;
  }

  /** Submits wait until the returned function is called. */
  holdCommits(): () => void {
    let release = () => {};
    this.commitGate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** Tells listeners that notifications may have been lost. */
  loseNotifications(): void {
    for (const callback of this.endedCallbacks) callback(null);
  }

  startRun(id: string): void {
    this.mustHave(id).run = { ...this.mustHave(id).run, status: "running", startedAt: new Date().toISOString() };
  }

  recordStep(id: string, path: string, output: Json = null): Step {
    const { steps } = this.mustHave(id);
    const at = new Date().toISOString();
    const seq = steps.length + 1;
    const step: Step = {
      path,
      seq,
      kind: "run",
      status: "succeeded",
      input: null,
      output,
      error: null,
      startedAt: at,
      finishedAt: at,
      copied: false,
      waitsFor: null,
      attempts: [],
    };
    steps.push(step);
    return step;
  }

  /** Ends a run; `quietly`: without telling anybody, as when the notification is lost. */
  endRun(id: string, output: Json = null, options: { quietly?: boolean } = {}): void {
    const kept = this.mustHave(id);
    kept.run = { ...kept.run, status: "succeeded", output, finishedAt: new Date().toISOString() };
    if (!options.quietly) this.tellEnded(id);
  }

  async submitRun(run: NewRun): Promise<{ run: Run; replayed: boolean }> {
    this.count("submitRun");
    await this.commitGate;
    this.count("committed");
    for (const kept of this.runs.values()) {
      if (run.idempotencyKey === null || kept.run.environment !== run.environment || kept.idempotencyKey !== run.idempotencyKey) continue;
      if (kept.fingerprint !== run.fingerprint) throw new FlowRunError("idempotency-key-reused", "Use a new key for a new request.");
      return { run: kept.run, replayed: true };
    }
    const { idempotencyKey, fingerprint, priority: _, ...asked } = run;
    const created: Run = {
      ...asked,
      status: "queued",
      output: null,
      error: null,
      usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, calls: 0, cacheHits: 0 },
      costUsd: 0,
      unpricedCalls: 0,
      replayOf: null,
      feedbackCount: 0,
      createdAt: new Date().toISOString(),
      startedAt: null,
      finishedAt: null,
    };
    this.runs.set(run.id, { run: created, idempotencyKey, fingerprint, steps: [] });
    return { run: created, replayed: false };
  }

  async findSubmitted({
    environment,
    idempotencyKey,
    fingerprint,
  }: Pick<NewRun, "environment" | "idempotencyKey" | "fingerprint">): Promise<Run | null> {
    this.count("findSubmitted");
    const kept = [...this.runs.values()].find((one) => one.run.environment === environment && one.idempotencyKey === idempotencyKey);
    if (kept !== undefined && kept.fingerprint !== fingerprint)
      throw new FlowRunError("idempotency-key-reused", "Use a new key for a new request.");
    return kept?.run ?? null;
  }

  async getRun(environment: string, id: string): Promise<Run | null> {
    this.count("getRun");
    const run = this.runs.get(id)?.run;
    return run?.environment === environment ? run : null;
  }

  async listRuns(filter: RunFilter): Promise<{ runs: Run[]; nextCursor: string | null }> {
    this.count("listRuns");
    if (filter.cursor !== undefined && !/^\d+$/.test(filter.cursor))
      throw new FlowRunError("invalid-cursor", "Pass nextCursor as it came.");
    const from = Number(filter.cursor ?? 0);
    const limit = filter.limit ?? 50;
    const all = [...this.runs.values()]
      .map(({ run }) => run)
      .filter((run) => run.environment === filter.environment)
      .filter((run) => (filter.flow ?? run.flow) === run.flow && [filter.status ?? run.status].flat().includes(run.status))
      .filter((run) => [filter.tag ?? []].flat().every((tag) => run.tags.includes(tag)))
      .sort((a, b) => (a.id < b.id ? 1 : -1));
    return { runs: all.slice(from, from + limit), nextCursor: from + limit < all.length ? String(from + limit) : null };
  }

  async listSteps(environment: string, id: string): Promise<Step[] | null> {
    this.count("listSteps");
    const kept = this.runs.get(id);
    return kept?.run.environment === environment ? [...kept.steps] : null;
  }

  async cancelRun(environment: string, id: string): Promise<Run | null> {
    this.count("cancelRun");
    const kept = this.runs.get(id);
    if (kept?.run.environment !== environment) return null;
    if (isTerminal(kept.run.status)) throw new FlowRunError("not-cancellable", `Run ${id} has already ended.`);
    kept.run = { ...kept.run, status: "cancelled", finishedAt: new Date().toISOString() };
    this.tellEnded(id);
    return kept.run;
  }

  async awaitedSignals(environment: string, id: string): ReturnType<Store["awaitedSignals"]> {
    this.count("awaitedSignals");
    const run = this.runs.get(id)?.run;
    return run?.environment === environment ? { status: run.status, signals: [...(this.waits.get(id) ?? [])] } : null;
  }

  async deliverSignal(_environment: string, id: string, path: string, payload: Json): Promise<boolean> {
    this.count("deliverSignal");
    const waits = this.waits.get(id) ?? [];
    if (!waits.some((wait) => wait.path === path)) return false;
    this.waits.set(
      id,
      waits.filter((wait) => wait.path !== path),
    );
    this.delivered.push({ id, path, payload });
    return true;
  }

  onSignalled(): () => void {
    return () => {};
  }

  onQueued(): () => void {
    return () => {};
  }

  onEnded(callback: (ids: readonly string[] | null) => void): () => void {
    this.endedCallbacks.add(callback);
    return () => this.endedCallbacks.delete(callback);
  }

  async deploy(release: Parameters<Store["deploy"]>[0]): ReturnType<Store["deploy"]> {
    this.count("deploy");
    const all = this.releases.get(release.environment) ?? [];
    this.releases.set(release.environment, all);
    const current = all.at(-1);
    const previous = current?.row.number ?? null;
    if (current?.row.hash === release.hash) return { release: current.row, previous, changed: false };
    if (release.expectedCurrent !== undefined && release.expectedCurrent !== previous) throw new FlowRunError("stale-plan", "Plan again.");
    for (const other of all) other.row = { ...other.row, current: false };
    const { environment, hash, author, message, commit } = release;
    const row = { environment, hash, author, message, commit, number: all.length + 1, createdAt: new Date().toISOString(), current: true };
    all.push({ row, bundle: release.bundle });
    return { release: row, previous, changed: true };
  }

  async currentRelease(environment: string): Promise<number | null> {
    this.count("currentRelease");
    return this.releases.get(environment)?.at(-1)?.row.number ?? null;
  }

  async getBundle(environment: string, release: number): Promise<JsonObject | null> {
    this.count("getBundle");
    return this.releases.get(environment)?.find(({ row }) => row.number === release)?.bundle ?? null;
  }

  async listReleases(environment: string): Promise<ReleaseRow[]> {
    this.count("listReleases");
    return (this.releases.get(environment) ?? []).map(({ row }) => row);
  }

  async createApiKey(key: { name: string; environment: string; scopes: string[]; sha256: string }): Promise<ApiKeyRow> {
    this.count("createApiKey");
    const { sha256, ...named } = key;
    const row = { ...named, id: `key_${this.keys.length + 1}`, createdAt: new Date().toISOString(), revokedAt: null };
    this.keys.push({ row, sha256 });
    return row;
  }

  async findApiKey(sha256: string): Promise<ApiKeyRow | null> {
    this.count("findApiKey");
    return this.keys.find((key) => key.sha256 === sha256)?.row ?? null;
  }

  async listApiKeys(environment: string): Promise<ApiKeyRow[]> {
    this.count("listApiKeys");
    return this.keys.map(({ row }) => row).filter((row) => row.environment === environment);
  }

  async revokeApiKey(environment: string, id: string): Promise<boolean> {
    this.count("revokeApiKey");
    const key = this.keys.find(({ row }) => row.id === id && row.environment === environment && row.revokedAt === null);
    if (key === undefined) return false;
    key.row = { ...key.row, revokedAt: new Date().toISOString() };
    return true;
  }

  async queueDepth(): Promise<{ queued: number; oldestSeconds: number }> {
    this.count("queueDepth");
    return { queued: [...this.runs.values()].filter(({ run }) => run.status === "queued").length, oldestSeconds: 0 };
  }

  async ping(): Promise<void> {
    this.count("ping");
  }

  async close(): Promise<void> {}

  readonly replays: ReplayStore = {
    read: async (environment, id) => {
      const kept = this.runs.get(id);
      if (kept?.run.environment !== environment) return null;
      const steps = kept.steps.map(({ path, status }) => ({ path, status: status as "succeeded" }));
      return { run: kept.run, priority: 0, webhook: null, steps, underWay: [] };
    },
    submit: async ({ run, of, from, copied }) => {
      const submitted = await this.submitRun(run);
      if (submitted.replayed) return submitted;
      const kept = this.mustHave(run.id);
      kept.run = { ...kept.run, replayOf: { run: of, from } };
      kept.steps.push(...this.mustHave(of).steps.filter((step) => copied.includes(step.path)));
      return { run: kept.run, replayed: false };
    },
  };

  get feedback(): never {
    throw new Error("nothing is judged here");
  }
  get schedules(): never {
    throw new Error("nothing is started by itself here");
  }
  get cache(): never {
    throw new Error("no test of the server asks models");
  }

  get webhooks(): never {
    throw new Error("nothing is delivered here");
  }
  takeAccepted(): never {
    throw new Error("nothing is executed here");
  }
  claimRuns(): never {
    throw new Error("nothing is executed here");
  }
  journal(): never {
    throw new Error("nothing is executed here");
  }
  heartbeat(): never {
    throw new Error("nothing is executed here");
  }
  releaseRuns(): never {
    throw new Error("nothing is executed here");
  }
  requeueDueWaits(): never {
    throw new Error("nothing is executed here");
  }
  requeueOrphans(): never {
    throw new Error("nothing is executed here");
  }

  private count(method: string): void {
    this.calls[method] = (this.calls[method] ?? 0) + 1;
    if (this.away) throw new StoreUnavailableError("The database does not answer. Try again.");
  }

  private mustHave(id: string): Kept {
    const kept = this.runs.get(id);
    if (kept === undefined) throw new Error(`no run ${id}`);
    return kept;
  }

  private tellEnded(id: string): void {
    for (const callback of this.endedCallbacks) callback([id]);
  }
}
