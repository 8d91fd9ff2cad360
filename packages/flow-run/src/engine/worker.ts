import { FlowRunError } from "@flow-run/spec";
import type { ClaimedRun, RunTaker, Store } from "../store/index.ts";
import type { EngineEvent } from "./engine-event.ts";
import { executeRun } from "./execute-run.ts";
import { freePlaces } from "./free-places.ts";
import { Interruption } from "./interruption.ts";
import type { RunBell } from "./run-bell.ts";
import type { EngineRelease, EngineWorld } from "./run-context.ts";

export interface WorkerOptions {
  store: Store;
  /** The release a run is pinned to, ready to execute. Rejects when it cannot be loaded. */
  loadRelease(environment: string, release: number): Promise<EngineRelease>;
  world: EngineWorld;
  /** Runs at work at once; those that have stood still for five seconds do not count, up to ten times as many. Default 1,000. */
  concurrency?: number;
  /** How often leases are prolonged. Must be well below the queue's heartbeat of 10 s. Default 3,000. */
  heartbeatMs?: number;
  /** Slow look for work that no notification announced. One timer a worker. Default 2,000. */
  pollMs?: number;
  /** How often runs without a job are looked for. Default 60,000. */
  orphanCheckMs?: number;
  /** How often waiting runs whose moment has come are looked for; one timer a worker. Default 1,000. */
  dueCheckMs?: number;
  /** Told of failures of the worker itself (the database is away…); it goes on by itself. */
  onTrouble(error: unknown, doing: string): void;
}

interface ActiveRun {
  /** Until it has made progress: what ends this process meanwhile may be this run. */
  suspect: boolean;
  claimed: ClaimedRun;
  abort: AbortController;
  bell: RunBell;
  /** When it last told of something. */
  movedAtMs: number;
  done: Promise<void>;
}

/** How many runs one claim takes at most: large enough to share a statement, small enough to share the work with other workers. */
const CLAIM_BATCH = 100;

/** Of runs that may be what ends their workers one is executed at a time, so that no other is blamed for it. */
const SUSPECTS_AT_ONCE = 1;

/** Takes runs from the queue and executes them until it is drained. Everything that polls or beats is one timer per worker, never one per run. */
export class Worker implements RunTaker {
  private readonly options: Required<WorkerOptions>;
  private readonly active = new Map<string, ActiveRun>();
  private readonly stopping = new AbortController();
  /** Leases are prolonged until the last run is out of our hands, also while draining. */
  private readonly released = new AbortController();
  private loops: Promise<unknown>[] = [];
  private wake: () => void = () => {};
  private awake = false;
  /** The last claim has left nothing in the queue, and nothing has come to it since, as far as this process knows. */
  private queueIsEmpty = false;
  /** Room kept for runs that are being accepted. */
  private reserved = 0;
  private unsubscribe: (() => void)[] = [];

  constructor(options: WorkerOptions) {
    const { world } = options;
    const emit = (event: EngineEvent) => {
      const run = this.active.get(event.runId);
      if (run !== undefined) run.movedAtMs = event.atMs;
      world.emit(event);
    };
    const defaults = { concurrency: 1_000, heartbeatMs: 3_000, pollMs: 2_000, orphanCheckMs: 60_000, dueCheckMs: 1_000 };
    this.options = { ...defaults, ...options, world: { ...world, emit } };
  }

  get activeRuns(): number {
    return this.active.size;
  }

  start(): void {
    const { store, heartbeatMs, orphanCheckMs, dueCheckMs } = this.options;
    this.unsubscribe = [
      store.onQueued(() => this.nudge()),
      store.onSignalled((id) => this.ring(id)),
      store.onEnded((ids) => this.stopEnded(ids)),
      store.takeAccepted(this),
    ];
    this.loops = [
      this.claimLoop(),
      this.every(heartbeatMs, this.released.signal, "prolonging leases", () => this.heartbeat()),
      this.every(dueCheckMs, this.stopping.signal, "looking for waits that are due", () => store.requeueDueWaits()),
      this.every(orphanCheckMs, this.stopping.signal, "looking for orphaned runs", () => store.requeueOrphans()),
      this.every(orphanCheckMs, this.stopping.signal, "removing cached answers that are too old", () => store.cache.prune()),
    ];
  }

  /** Takes no more runs, lets those under way finish for `graceMs`, then hands the rest back at once. */
  async drain(graceMs: number): Promise<void> {
    this.stopping.abort();
    this.nudge();
    for (const stop of this.unsubscribe) stop();
    const { clock } = this.options.world;
    const grace = new AbortController();
    const finished = Promise.all([...this.active.values()].map((run) => run.done)).then(() => grace.abort());
    await Promise.race([finished, clock.sleep(graceMs, grace.signal).catch(() => {})]);
    const left = [...this.active.values()];
    for (const run of left)
      run.abort.abort(new Interruption("released", "This server is shutting down; another one goes on with the run."));
    await Promise.all(left.map((run) => run.done));
    this.released.abort();
    await Promise.allSettled(this.loops);
    if (left.length === 0) return;
    await this.options.store
      .releaseRuns(left.map((run) => run.claimed))
      .catch((error) => this.options.onTrouble(error, "handing runs back"));
  }

  reserve(most: number): number {
    const room = this.queueIsEmpty ? Math.max(0, Math.min(most, this.options.concurrency - this.active.size - this.reserved)) : 0;
    // The rest goes to the queue.
    if (room < most) this.queueIsEmpty = false;
    this.reserved += room;
    return room;
  }

  take(runs: readonly ClaimedRun[], reserved: number): void {
    this.reserved -= reserved;
    if (!this.stopping.signal.aborted) for (const run of runs) this.begin(run);
    else if (runs.length > 0)
      this.options.store.releaseRuns(runs).catch((error) => this.options.onTrouble(error, "handing accepted runs to other servers"));
  }

  private nudge(): void {
    this.awake = true;
    this.queueIsEmpty = false;
    this.wake();
  }

  private async claimLoop(): Promise<void> {
    const { store, world, concurrency, onTrouble, pollMs } = this.options;
    let failures = 0;
    while (!this.stopping.signal.aborted) {
      this.awake = false;
      const underWay = this.active.size + this.reserved;
      const room = Math.min(CLAIM_BATCH, freePlaces(concurrency, underWay, this.active.values(), world.clock.now()));
      let claimed: ClaimedRun[] = [];
      try {
        if (room > 0) {
          claimed = await store.claimRuns(room, { suspects: SUSPECTS_AT_ONCE - this.suspects() });
          this.queueIsEmpty = claimed.length < room && !this.awake;
        }
        failures = 0;
      } catch (error) {
        failures++;
        this.queueIsEmpty = false;
        onTrouble(error, "taking runs from the queue");
      }
      for (const run of claimed) this.begin(run);
      const full = claimed.length === room && room > 0;
      if (!full && !this.awake) await this.rest(failures > 0 ? Math.min(10_000, 200 * 2 ** failures) : pollMs);
    }
  }

  /** Until there is a reason to look again, or the time is up. */
  private async rest(ms: number): Promise<void> {
    const timer = new AbortController();
    const nudged = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    if (this.awake || this.stopping.signal.aborted) return;
    await Promise.race([nudged, this.options.world.clock.sleep(ms, timer.signal).catch(() => {})]);
    timer.abort();
  }

  private suspects(): number {
    let count = 0;
    for (const run of this.active.values()) if (run.suspect) count++;
    return count;
  }

  private begin(claimed: ClaimedRun): void {
    const abort = new AbortController();
    const bell: RunBell = {};
    const acquitted = () => {
      if (!active.suspect) return;
      active.suspect = false;
      this.nudge();
    };
    const active: ActiveRun = {
      suspect: claimed.suspect,
      claimed,
      abort,
      bell,
      movedAtMs: this.options.world.clock.now(),
      done: Promise.resolve(),
    };
    active.done = this.execute(claimed, acquitted, abort.signal, bell)
      .catch((error) => this.options.onTrouble(error, `executing ${claimed.id}`))
      .finally(() => {
        // A run that was suspended may have come back already.
        if (this.active.get(claimed.id)?.claimed === claimed) this.active.delete(claimed.id);
        if (this.active.size >= this.options.concurrency - 1) this.nudge();
        acquitted();
      });
    this.active.set(claimed.id, active);
  }

  private async execute(claimed: ClaimedRun, onProgress: () => void, signal: AbortSignal, bell: RunBell): Promise<void> {
    const { store, world, onTrouble } = this.options;
    const journal = store.journal(claimed, onProgress);
    let release: EngineRelease;
    try {
      release = await this.options.loadRelease(claimed.environment, claimed.release);
    } catch (error) {
      // The database is away: the lease runs out and the run is taken again. Anything else will not heal by itself.
      if (!FlowRunError.isInstance(error) || error.retryable)
        return onTrouble(error, `loading release ${claimed.release} of ${claimed.environment}`);
      journal.appendEnd({
        status: "failed",
        output: null,
        error: { code: error.code, message: error.message, step: null, retryable: false },
      });
      return journal.commit();
    }
    const outcome = await executeRun(claimed, release, journal, world, signal, bell);
    if ("stopped" in outcome && outcome.stopped === "database-unavailable") onTrouble(outcome.error, `recording ${claimed.id}`);
  }

  /**
   * Prolongs the leases. A run whose lease is lost is not stopped here: its call under way is paid for, so it may end and be booked,
   * and the fence in the database keeps everything after it from being begun or written.
   */
  private async heartbeat(): Promise<void> {
    const runs = [...this.active.values()];
    if (runs.length > 0) await this.options.store.heartbeat(runs.map((run) => run.claimed));
  }

  /** A run that ended although we still execute it was cancelled: its calls are aborted at once. */
  private stopEnded(ids: readonly string[] | null): void {
    for (const id of ids ?? []) this.active.get(id)?.abort.abort(new Interruption("fenced", "The run has ended."));
  }

  /** A run got a signal while it was under way; null: any of them may have. */
  private ring(id: string | null): void {
    const rung = id === null ? [...this.active.values()] : [this.active.get(id)];
    for (const run of rung) run?.bell.onRing?.();
  }

  private async every(ms: number, until: AbortSignal, doing: string, work: () => Promise<unknown>): Promise<void> {
    while (!until.aborted) {
      try {
        await this.options.world.clock.sleep(ms, until);
      } catch {
        return;
      }
      await work().catch((error) => this.options.onTrouble(error, doing));
    }
  }
}
