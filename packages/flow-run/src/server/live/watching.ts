import type { Peers } from "../../store/index.ts";
import { readCall, writeCalls } from "./calls.ts";
import type { ElsewhereExecuted, LiveEventHub } from "./live-event-hub.ts";
import { readMessage } from "./messages.ts";

/** Watching is announced again so often, and forgotten by the others when it was not for a few times. */
export const KEEP_EVERY_MS = 10_000;

/** The side of the readers: tells the other processes which runs are watched here, and hands what they send to the hub. */
export class Watching implements ElsewhereExecuted {
  private readonly peers: Peers;
  private readonly watched = new Set<string>();
  private begun = new Set<string>();
  private ended = new Set<string>();
  /** The announcement that will take what was added last. */
  private next: Promise<void> | null = null;
  private last: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private stop: (() => Promise<void> | void)[] = [];

  constructor(peers: Peers) {
    this.peers = peers;
  }

  async start(hub: LiveEventHub): Promise<void> {
    const { peers } = this;
    const stopHearing = peers.onTold((_from, message) => {
      if (readCall(message)?.word === "who-watches") this.announceAll();
    });
    this.timer = setInterval(() => this.keep(), KEEP_EVERY_MS);
    this.timer.unref();
    this.stop.push(stopHearing, () => clearInterval(this.timer));
    const subscription = await peers.receive(
      (message) => {
        for (const event of readMessage(message)) hub.receive(event);
      },
      () => this.announceAll(),
    );
    this.stop.push(() => subscription.close());
    hub.connect(this);
  }

  async close(): Promise<void> {
    for (const stop of this.stop.splice(0)) await stop();
  }

  watch(runId: string): Promise<void> {
    this.watched.add(runId);
    this.ended.delete(runId);
    this.begun.add(runId);
    return this.announceSoon();
  }

  unwatch(runId: string): void {
    if (!this.watched.delete(runId)) return;
    this.begun.delete(runId);
    this.ended.add(runId);
    void this.announceSoon();
  }

  /** Something was missed, here or there: as if all of it began now. */
  private announceAll(): void {
    for (const runId of this.watched) this.begun.add(runId);
    void this.announceSoon();
  }

  /** One announcement is on its way at a time; those that come meanwhile share the next. */
  private announceSoon(): Promise<void> {
    this.next ??= this.last.then(() => {
      this.next = null;
      this.last = this.announce();
      return this.last;
    });
    return this.next;
  }

  private async announce(): Promise<void> {
    const calls = [...writeCalls("unwatch", this.ended), ...writeCalls("watch", this.begun)];
    this.begun = new Set();
    this.ended = new Set();
    await this.tellAll(calls);
  }

  private keep(): void {
    if (this.watched.size > 0) void this.tellAll(writeCalls("keep", this.watched));
  }

  private async tellAll(calls: readonly string[]): Promise<void> {
    try {
      for (const call of calls) await this.peers.tellAll(call);
    } catch {
      // The next `keep` says it again; until then readers see what the journal tells.
    }
  }
}
