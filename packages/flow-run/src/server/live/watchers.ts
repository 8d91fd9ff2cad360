import type { Peers } from "../../store/index.ts";
import { readCall } from "./calls.ts";
import type { LiveEventHub } from "./live-event-hub.ts";
import { Outbox } from "./outbox.ts";
import { KEEP_EVERY_MS } from "./watching.ts";

/** A process that was not heard of for so long watches no more. */
const FORGET_AFTER_MS = 3.5 * KEEP_EVERY_MS;

interface Watcher {
  outbox: Outbox;
  /** By run. */
  runs: Map<string, { stop: () => void; heardAtMs: number }>;
}

/** The side of the workers: knows which runs other processes watch, and sends them what happens in those that are executed here. */
export class Watchers {
  private readonly peers: Peers;
  private readonly hub: LiveEventHub;
  private readonly watchers = new Map<string, Watcher>();
  private stop: (() => void)[] = [];

  constructor(peers: Peers, hub: LiveEventHub) {
    this.peers = peers;
    this.hub = hub;
  }

  start(): void {
    const { peers } = this;
    const timer = setInterval(() => this.forgetSilent(), KEEP_EVERY_MS);
    timer.unref();
    const ask = () => void peers.tellAll("who-watches").catch(() => {});
    this.stop = [() => clearInterval(timer), peers.onTold((from, message) => this.hear(from, message)), peers.onMissed(ask)];
    ask();
  }

  close(): void {
    for (const stop of this.stop.splice(0)) stop();
    for (const watcher of this.watchers.values()) for (const { stop } of watcher.runs.values()) stop();
    this.watchers.clear();
  }

  private hear(from: string, message: string): void {
    const call = readCall(message);
    if (call === null || call.word === "who-watches") return;
    for (const runId of call.runIds) {
      if (call.word === "unwatch") this.unwatch(from, runId);
      else this.watch(from, runId, call.word === "watch");
    }
  }

  private watch(from: string, runId: string, again: boolean): void {
    let watcher = this.watchers.get(from);
    if (watcher === undefined) {
      watcher = { outbox: new Outbox(this.peers, from), runs: new Map() };
      this.watchers.set(from, watcher);
    }
    const { outbox, runs } = watcher;
    const heardAtMs = performance.now();
    const known = runs.get(runId);
    if (known === undefined) runs.set(runId, { stop: this.hub.forward(runId, (event) => outbox.add(event)), heardAtMs });
    else known.heardAtMs = heardAtMs;
    const text = known === undefined || again ? this.hub.textOf(runId) : [];
    if (text.length > 0) outbox.add(...text);
  }

  private unwatch(from: string, runId: string): void {
    const watcher = this.watchers.get(from);
    const watched = watcher?.runs.get(runId);
    if (watcher === undefined || watched === undefined) return;
    watched.stop();
    watcher.runs.delete(runId);
    if (watcher.runs.size === 0) this.watchers.delete(from);
  }

  private forgetSilent(): void {
    const before = performance.now() - FORGET_AFTER_MS;
    for (const [from, { runs }] of this.watchers) {
      for (const [runId, { heardAtMs }] of runs) if (heardAtMs < before) this.unwatch(from, runId);
    }
  }
}
