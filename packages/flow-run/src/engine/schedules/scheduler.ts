import { FlowRunError } from "@flow-run/spec";
import { findTicks, type Ticks } from "../../compile/index.ts";
import type { Store, StoredSchedule, Tick } from "../../store/index.ts";
import type { Clock } from "../clock.ts";
import { dueTick } from "./due-tick.ts";

export interface SchedulerOptions {
  store: Pick<Store, "schedules" | "submitRun">;
  /** Only for resting: what is due is decided by the database's clock. */
  clock: Clock;
  newRunId(): string;
  /** Told of each run that a schedule has started here. */
  onStarted(run: { id: string; environment: string; flow: string; tick: string }): void;
  /** Told of failures; the scheduler goes on by itself. */
  onTrouble(error: unknown, doing: string): void;
}

/** The tag of runs that a schedule has started. */
const TAG = "schedule";

/** Notifications tell of new releases; this bounds the harm of a lost one. */
const LONGEST_REST_MS = 60_000;
/** So that nothing that goes on being due keeps a process busy. */
const SHORTEST_REST_MS = 10;

/**
 * Starts runs by the schedules of all environments. Any number of processes may do so on one database: a tick's run has an idempotency key that names the
 * tick, so the first one starts it and the others find it there. One timer a process, set to the next tick.
 */
export class Scheduler {
  private readonly options: SchedulerOptions;
  private readonly stopping = new AbortController();
  private ticks = new Map<string, Ticks | null>();
  private resting = new AbortController();
  private changed = false;
  private unsubscribe = () => {};
  private loop: Promise<void> = Promise.resolve();

  constructor(options: SchedulerOptions) {
    this.options = options;
  }

  start(): void {
    this.unsubscribe = this.options.store.schedules.onChanged(() => this.wake());
    this.loop = this.keep();
  }

  /** Starts nothing more. Resolves when what was being started is. */
  async stop(): Promise<void> {
    this.unsubscribe();
    this.stopping.abort();
    this.wake();
    await this.loop;
  }

  private wake(): void {
    this.changed = true;
    this.resting.abort();
  }

  private async keep(): Promise<void> {
    const { clock, onTrouble } = this.options;
    for (let failures = 0; !this.stopping.signal.aborted; ) {
      this.changed = false;
      this.resting = new AbortController();
      let restMs: number;
      try {
        restMs = await this.startDue();
        failures = 0;
      } catch (error) {
        failures++;
        onTrouble(error, "starting runs by their schedules");
        restMs = Math.min(10_000, 200 * 2 ** failures);
      }
      if (!this.changed) await clock.sleep(Math.max(SHORTEST_REST_MS, restMs), this.resting.signal).catch(() => {});
    }
  }

  /** Starts what is due. Returns in how many milliseconds something may be due next. */
  private async startDue(): Promise<number> {
    const { store } = this.options;
    const read = await store.schedules.read();
    const due: Tick[] = [];
    const kept = new Map<string, Ticks | null>();
    let restMs = LONGEST_REST_MS;
    for (const schedule of read?.schedules ?? []) {
      const key = `${schedule.timezone} ${schedule.cron}`;
      if (!kept.has(key)) kept.set(key, this.ticksOf(key, schedule));
      const ticks = kept.get(key);
      if (!ticks) continue;
      const { due: at, next } = dueTick(ticks, schedule.tickedUntilMs, read!.nowMs);
      if (at !== null) due.push({ schedule, atMs: at });
      if (next !== null) restMs = Math.min(restMs, next - read!.nowMs);
    }
    this.ticks = kept;
    if (due.length === 0) return restMs;
    await this.startAll(due);
    // That took its time: what is due now is looked up again.
    return 0;
  }

  /** null for what cannot be kept, which is told once. */
  private ticksOf(key: string, { environment, flow, cron, timezone }: StoredSchedule): Ticks | null {
    const known = this.ticks.get(key);
    if (known !== undefined) return known;
    try {
      return findTicks(cron, timezone);
    } catch (error) {
      this.options.onTrouble(error, `reading the schedule of ${flow} in ${environment} (${cron}, ${timezone})`);
      return null;
    }
  }

  private async startAll(due: readonly Tick[]): Promise<void> {
    const results = await Promise.allSettled(due.map((tick) => this.startRun(tick)));
    const failed = results.map((result) => (result.status === "rejected" ? (result.reason as unknown) : null));
    // What will not heal by itself is told, and its tick is over: the next one may find it mended.
    const willHeal = (error: unknown) => FlowRunError.isInstance(error) && error.retryable;
    for (const [index, { schedule }] of due.entries()) {
      const error = failed[index];
      if (error && !willHeal(error)) this.options.onTrouble(error, `starting ${schedule.flow} in ${schedule.environment} by its schedule`);
    }
    const over = due.filter((_, index) => !willHeal(failed[index]));
    if (over.length > 0) await this.options.store.schedules.markTicked(over);
    const first = failed.find(willHeal);
    if (first) throw first;
  }

  private async startRun({ schedule, atMs }: Tick): Promise<void> {
    const { environment, flow, release, input } = schedule;
    const tick = new Date(atMs).toISOString();
    const { run, replayed } = await this.options.store.submitRun({
      id: this.options.newRunId(),
      environment,
      flow,
      kind: "workflow",
      release,
      input,
      tags: [TAG],
      priority: 0,
      // No caller can send this key: it is not ASCII.
      idempotencyKey: `schedule→${flow}→${tick}`,
      // The same whatever release another process knows: a tick has one run.
      fingerprint: TAG,
    });
    if (!replayed) this.options.onStarted({ id: run.id, environment, flow, tick });
  }
}
