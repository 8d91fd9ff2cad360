import type { Json } from "@flow-run/spec";
import type { LimitSettings } from "../limit-settings.ts";
import { LocalShare, type Taken, type Wanting } from "../local-share.ts";

/** A request that was sent. */
export interface Sent {
  process: number;
  atMs: number;
  waitedMs: number;
  tokens: number;
}

interface Call {
  taken: Taken;
  untilMs: number;
  usedTokens: number;
}

const STEP_MS = 25;

/** Several processes that share one limit, in a time of their own. Each step, all of them look once at what is due, in turns. */
export class SharedLife {
  readonly sent: Sent[] = [];
  /** The most calls that were out at once, over all processes. */
  mostOut = 0;
  nowMs = 5_000_000;
  /** How often the shared state was changed. */
  changes = 0;
  /** Nobody can reach the shared state. */
  away = false;
  private state: Json | null = null;
  private readonly processes: { share: LocalShare; waiting: Wanting[]; calls: Call[]; dead: boolean }[];
  private readonly callMs: number;

  constructor(count: number, limits: LimitSettings, { callMs = 200 }: { callMs?: number } = {}) {
    this.callMs = callMs;
    this.processes = Array.from({ length: count }, (_, index) => ({
      share: new LocalShare("key", limits, `process-${index}`),
      waiting: [],
      calls: [],
      dead: false,
    }));
  }

  get waiting(): number {
    return this.processes.reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  /** Requests come to a process. */
  come(process: number, count: number, tokens = 0): void {
    for (let i = 0; i < count; i++) this.processes[process]!.waiting.push({ sinceMs: this.nowMs, tokens });
  }

  /** Its calls are not counted from now on, for nobody can tell how they end. */
  die(process: number): void {
    const died = this.processes[process]!;
    died.dead = true;
    died.waiting = [];
    died.calls = [];
  }

  /** Lets time go by; `each` is called every step. */
  live(ms: number, each: () => void = () => {}): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += STEP_MS;
      each();
      const turn = Math.floor(this.nowMs / STEP_MS);
      for (const [index] of this.processes.entries()) this.step((index + turn) % this.processes.length);
      this.mostOut = Math.max(this.mostOut, this.processes.reduce((sum, { calls }) => sum + calls.length, 0));
    }
  }

  /** The most tokens or requests that were sent within any minute. */
  mostInAMinute(measure: (sent: Sent) => number = () => 1): number {
    let most = 0;
    for (const { atMs } of this.sent) {
      const within = this.sent.filter((other) => other.atMs >= atMs && other.atMs < atMs + 60_000);
      most = Math.max(most, within.reduce((sum, sent) => sum + measure(sent), 0));
    }
    return most;
  }

  private step(index: number): void {
    const process = this.processes[index]!;
    if (process.dead) return;
    const { share } = process;
    for (const call of process.calls.filter(({ untilMs }) => untilMs <= this.nowMs)) {
      process.calls.splice(process.calls.indexOf(call), 1);
      share.giveBack(call.taken, { sent: true, usedTokens: call.usedTokens }, this.nowMs);
    }
    this.admit(index);
    for (let rounds = 0; share.dueAtMs <= this.nowMs && rounds < 20; rounds++) {
      this.talk(share, process.waiting);
      this.admit(index);
    }
  }

  private admit(index: number): void {
    const { share, waiting, calls } = this.processes[index]!;
    while (waiting[0] !== undefined && share.has(waiting[0].tokens, this.nowMs)) {
      const { sinceMs, tokens } = waiting.shift()!;
      calls.push({ taken: share.take(tokens, this.nowMs), untilMs: this.nowMs + this.callMs, usedTokens: tokens });
      this.sent.push({ process: index, atMs: this.nowMs, waitedMs: this.nowMs - sinceMs, tokens });
    }
    if (waiting[0] !== undefined) share.isWanted(this.nowMs);
  }

  private talk(share: LocalShare, waiting: readonly Wanting[]): void {
    const ask = share.ask(waiting, this.nowMs);
    if (this.away) return share.alone(ask, this.nowMs, this.nowMs);
    const { change, result } = share.changeFor(ask);
    // As a database would keep it.
    this.state = JSON.parse(JSON.stringify(change("key", this.state, this.nowMs))) as Json;
    this.changes++;
    share.granted(ask, result()!, this.nowMs, this.nowMs);
  }
}
