import type { Json, TokenUsage } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { AttemptEnd, AttemptStart, DurableWaits, Journal, RunEnd, StepRecord, WaitState } from "../../src/store/index.ts";

// What simulations of the walker happen in: seeded chance, virtual time, and a database in a few lines.

/** mulberry32 */
export function random(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class Crash extends Error {}
export class Fenced extends FlowRunError {
  constructor() {
    super("fenced", "fenced");
  }
}

/** Virtual time: the only thing that anything in a simulation waits for. */
export class Timeline {
  now = 0;
  private readonly next: () => number;
  private readonly queue: { at: number; order: number; go: () => void }[] = [];
  constructor(next: () => number) {
    this.next = next;
  }
  after(ms: number): Promise<void> {
    return new Promise((go) => this.queue.push({ at: this.now + ms, order: this.next(), go }));
  }
  async run(done: () => boolean): Promise<boolean> {
    for (let steps = 0; steps < 20_000; steps++) {
      if (done()) return true;
      let best = 0;
      for (let i = 1; i < this.queue.length; i++) {
        const [a, b] = [this.queue[i]!, this.queue[best]!];
        if (a.at < b.at || (a.at === b.at && a.order < b.order)) best = i;
      }
      const [job] = this.queue.splice(best, 1);
      if (!job) return done();
      this.now = Math.max(this.now, job.at);
      job.go();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return false;
  }
}

/** What PostgreSQL does for the real journal, in a few lines: an epoch, a lease, records that appear all or nothing. */
export class Memory {
  epoch = 0;
  lease = 0;
  end: RunEnd | null = null;
  ends = 0;
  steps = new Map<string, StepRecord & { times: number }>();
  started = new Map<string, AttemptStart>();
  booked = new Map<string, { end: AttemptEnd; times: number }>();
  waits = new Map<string, { signal: string | null; dueAt: number; delivered: boolean; payload: Json }>();
  /** Out of all hands until then. */
  wakeAt: number | null = null;

  /** What the attempts of former owners count for in limits. */
  spentBySteps(): { [path: string]: { costNanoUsd: number; tokens: number } } {
    const spent: { [path: string]: { costNanoUsd: number; tokens: number } } = {};
    for (const { id, stepPath, estimate } of this.started.values()) {
      if (!estimate) continue;
      const usage = this.booked.get(id)?.end.usage;
      spent[stepPath] ??= { costNanoUsd: 0, tokens: 0 };
      spent[stepPath].tokens += usage ? tokensOf(usage) : estimate.tokens;
    }
    return spent;
  }

  wake(): void {
    this.wakeAt = null;
    this.lease = 0;
  }
}

export function tokensOf(usage: TokenUsage): number {
  return Object.values(usage).reduce((sum, tokens) => sum + tokens, 0);
}

export class SimulatedJournal implements Journal {
  readonly waits: DurableWaits;
  private readonly memory: Memory;
  private readonly epoch: number;
  private readonly fence: boolean;
  private readonly disk: (write: () => void) => Promise<void>;
  private pending: (() => void)[] = [];
  private bills: (() => void)[] = [];
  private inFlight: Promise<void> = Promise.resolve();
  constructor(memory: Memory, epoch: number, fence: boolean, disk: (write: () => void) => Promise<void>, now: () => number) {
    this.memory = memory;
    this.epoch = epoch;
    this.fence = fence;
    this.disk = disk;
    const { waits } = memory;
    const isDue = (path: string) => waits.get(path)!.dueAt <= now();
    const after = async (write: () => void) => {
      await this.commit();
      await this.disk(() => {
        if (this.fence && !this.mine()) throw new Fenced();
        write();
      });
    };
    this.waits = {
      open: async ({ path, signal, dueInMs }) => {
        let state: WaitState | undefined;
        await after(() => {
          if (!waits.has(path)) waits.set(path, { signal, dueAt: now() + dueInMs, delivered: false, payload: null });
          const { delivered, payload, dueAt } = waits.get(path)!;
          state = { delivered, payload, remainingMs: Math.max(0, dueAt - now()) };
        });
        return state!;
      },
      close: (path) => after(() => waits.delete(path)),
      suspend: (paths) =>
        after(() => {
          memory.lease = 0;
          if (!paths.some((path) => waits.get(path)!.delivered || isDue(path))) {
            memory.wakeAt = Math.min(...paths.map((path) => waits.get(path)!.dueAt));
          }
        }),
    };
  }
  private mine(): boolean {
    return this.memory.epoch === this.epoch && this.memory.end === null;
  }
  appendStep(step: StepRecord): number {
    this.pending.push(() => {
      const known = this.memory.steps.get(step.path);
      // The real table ignores a second record of the same owner; one of another owner would be a repetition.
      if (known) known.times += known.startedAtMs === step.startedAtMs ? 0 : 1;
      else this.memory.steps.set(step.path, { ...step, times: 1 });
    });
    return 0;
  }
  appendAttemptStart(start: AttemptStart): void {
    this.pending.push(() => this.memory.started.set(start.id, start));
  }
  appendAttemptEnd(end: AttemptEnd): void {
    this.bills.push(() => {
      if (!this.memory.booked.has(end.id)) this.memory.booked.set(end.id, { end, times: 1 });
    });
  }
  appendEnd(end: RunEnd): void {
    this.pending.push(() => {
      if (this.memory.end !== null) return;
      this.memory.end = end;
      this.memory.ends++;
    });
  }
  commit(): Promise<void> {
    const [writes, bills] = [this.pending.splice(0), this.bills.splice(0)];
    this.inFlight = this.inFlight.then(() =>
      this.disk(() => {
        for (const bill of bills) bill();
        if (this.fence && !this.mine()) throw new Fenced();
        this.memory.lease = Math.max(this.memory.lease, 0);
        for (const write of writes) write();
      }),
    );
    return this.inFlight;
  }
}
