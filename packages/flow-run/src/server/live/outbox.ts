import type { Peers } from "../../store/index.ts";
import type { LiveEvent } from "./live-event.ts";
import { writeMessages } from "./messages.ts";

/** Between two sendings to one process. Long enough that a hundred answers share a transaction, too short to be seen by a reader. */
const PAUSE_MS = 50;
/** What may wait for a database that is slow or away; beyond that it is dropped, and the other side asks for it again. */
const MOST_WAITING = 10_000;

/** What is on its way to one other process. */
export class Outbox {
  private readonly peers: Peers;
  private readonly to: string;
  private waiting: LiveEvent[] = [];
  private sentAtMs = 0;
  private isScheduled = false;

  constructor(peers: Peers, to: string) {
    this.peers = peers;
    this.to = to;
  }

  add(...events: readonly LiveEvent[]): void {
    if (this.waiting.length >= MOST_WAITING) this.waiting = [];
    for (const event of events) this.waiting.push(event);
    this.schedule();
  }

  /** The first word leaves at once, what follows within the pause together. */
  private schedule(): void {
    if (this.isScheduled || this.waiting.length === 0) return;
    this.isScheduled = true;
    const waitMs = this.sentAtMs + PAUSE_MS - performance.now();
    if (waitMs > 0) setTimeout(() => void this.send(), waitMs);
    else setImmediate(() => void this.send());
  }

  private async send(): Promise<void> {
    const events = this.waiting;
    this.waiting = [];
    this.sentAtMs = performance.now();
    try {
      await this.peers.tell(this.to, writeMessages(events));
    } catch {
      // Lost. Whoever finds a gap asks for what is missing, and what counts is in the journal.
    }
    this.isScheduled = false;
    this.schedule();
  }
}
