import type { ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { Store } from "../store/index.ts";
import type { Authenticator } from "./authenticate.ts";
import { EventStream } from "./event-stream.ts";
import type { Limits } from "./limits.ts";
import type { LiveEvents } from "./live/live-event-hub.ts";
import type { Principal } from "./principal.ts";
import { RequestRefusal } from "./request-refusal.ts";

/** How often runs that another process may be executing are looked at, and how many at a time. */
const SWEEP_MS = 1_000;
const SWEEP_STREAMS = 50;

export interface EventStreamsOptions {
  store: Store;
  live: LiveEvents | undefined;
  authenticator: Authenticator;
  limits: Limits;
  logger: Logger;
}

/** All open event streams of the process: one subscription to the store and two timers, however many readers there are. */
export class EventStreams {
  private readonly options: EventStreamsOptions;
  private readonly open = new Set<EventStream>();
  private readonly byRun = new Map<string, Set<EventStream>>();
  private readonly perCaller = new Map<string, number>();
  private readonly unsubscribe: () => void;
  private readonly timers: NodeJS.Timeout[];
  private closed = false;

  constructor(options: EventStreamsOptions) {
    this.options = options;
    this.unsubscribe = options.store.onEnded((runIds) => {
      if (runIds === null) for (const stream of this.open) stream.refresh();
      else for (const runId of runIds) for (const stream of this.byRun.get(runId) ?? []) stream.refresh();
    });
    this.timers = [setInterval(() => this.keepAlive(), options.limits.keepAliveMs), setInterval(() => this.sweep(), SWEEP_MS)];
    for (const timer of this.timers) timer.unref();
  }

  get size(): number {
    return this.open.size;
  }

  /** Throws `rate-limited` when the caller has as many streams as it may. Call before the response is begun. */
  refuseOneTooMany(principal: Principal): void {
    if (this.closed) throw new RequestRefusal("shutting-down", "The server is shutting down; connect again, another one will answer.");
    if ((this.perCaller.get(principal.id) ?? 0) < this.options.limits.streamsPerKey) return;
    throw new RequestRefusal(
      "rate-limited",
      `This key has ${this.options.limits.streamsPerKey} event streams open; close some, or ask for runs with ?wait= instead.`,
      { retryAfterMs: 5_000 },
    );
  }

  /** Takes over a response whose header is written and keeps it until the run ends or the reader leaves. */
  start(response: ServerResponse, principal: Principal, runId: string, afterSeq: number): void {
    let unsubscribeLive = () => {};
    const stream = new EventStream({
      response,
      store: this.options.store,
      runId,
      principal,
      afterSeq,
      maxBufferedBytes: this.options.limits.streamBufferBytes,
      maxBlockedMs: 2 * this.options.limits.keepAliveMs,
      onGap: () => this.options.live?.tellAgain(runId),
      onClose: (ended, reason) => {
        unsubscribeLive();
        this.remove(ended);
        if (reason === "reader-too-slow" || reason === "store-failed") {
          this.options.logger.warn({ run: runId, caller: principal.id, reason }, "event stream dropped");
        }
      },
    });
    this.add(stream);
    // The journal first: what is recorded comes before the text of what is under way.
    stream.refresh();
    unsubscribeLive = this.options.live?.subscribe(runId, (event) => stream.onLiveEvent(event)) ?? unsubscribeLive;
  }

  /** A reader will come soon. Resolves when whoever may execute the run knows; never rejects. */
  async expectReader(runId: string): Promise<void> {
    await this.options.live?.expect(runId);
  }

  /** Ends all streams; readers connect again and resume. */
  close(): void {
    this.closed = true;
    this.unsubscribe();
    for (const timer of this.timers) clearInterval(timer);
    for (const stream of [...this.open]) stream.end("server-closing");
  }

  private keepAlive(): void {
    for (const stream of [...this.open]) {
      stream.keepAlive();
      this.options.authenticator.isStillValid(stream.principal).then(
        (valid) => valid || stream.end("access-ended"),
        // The database is away: whoever is in stays in until it can be asked again.
        () => undefined,
      );
    }
  }

  /** Steps that another process recorded announce themselves nowhere: look, a bounded number of streams at a time, the longest unseen first. */
  private sweep(): void {
    const before = Date.now() - SWEEP_MS;
    const due: EventStream[] = [];
    for (const stream of this.open) {
      if (due.length === SWEEP_STREAMS) break;
      if (stream.readAtMs <= before) due.push(stream);
    }
    for (const stream of due) {
      // To the end of the line.
      this.open.delete(stream);
      this.open.add(stream);
      stream.refresh();
    }
  }

  private add(stream: EventStream): void {
    this.open.add(stream);
    const ofRun = this.byRun.get(stream.runId);
    if (ofRun === undefined) this.byRun.set(stream.runId, new Set([stream]));
    else ofRun.add(stream);
    this.perCaller.set(stream.principal.id, (this.perCaller.get(stream.principal.id) ?? 0) + 1);
  }

  private remove(stream: EventStream): void {
    if (!this.open.delete(stream)) return;
    const ofRun = this.byRun.get(stream.runId);
    ofRun?.delete(stream);
    if (ofRun?.size === 0) this.byRun.delete(stream.runId);
    const left = this.perCaller.get(stream.principal.id)! - 1;
    if (left === 0) this.perCaller.delete(stream.principal.id);
    else this.perCaller.set(stream.principal.id, left);
  }
}
