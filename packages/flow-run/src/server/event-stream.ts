import type { ServerResponse } from "node:http";
import { FlowRunError, isTerminal, type Run, type RunEvent, type Step } from "@flow-run/spec";
import type { Store } from "../store/index.ts";
import type { LiveEvent, TextDelta } from "./live/live-event.ts";
import { TextPlaces } from "./live/text-places.ts";
import type { Principal } from "./principal.ts";

/** Delays between reads while a step that was announced is not yet to be read; then the stream goes on without it. */
const COMMIT_DELAYS_MS = [2, 5, 10, 20, 40, 80, 160, 320];

/** Missing text is asked for at most so often. */
const GAP_PAUSE_MS = 250;

export interface EventStreamOptions {
  response: ServerResponse;
  store: Pick<Store, "getRun" | "listSteps">;
  runId: string;
  principal: Principal;
  /** Steps up to this one were received before. */
  afterSeq: number;
  maxBufferedBytes: number;
  /** How long a reader may take nothing at all. */
  maxBlockedMs: number;
  /** Text is missing: tell what there is of it again. */
  onGap(stream: EventStream): void;
  onClose(stream: EventStream, reason: StreamEnd): void;
}

/** Why a stream ended: the run did, the reader left, the reader did not read, the server or the caller's key is going, or the store failed. */
export type StreamEnd = "run-finished" | "reader-left" | "reader-too-slow" | "server-closing" | "access-ended" | "store-failed";

/** What waits to be sent: something live, or the order to read the journal until a step of at least this number is there. */
type Item = { live: LiveEvent; size: number } | { readUntilSeq: number };

/** What an event weighs beside its text, about. */
const EVENT_SIZE = 200;

/**
 * One reader of one run's events. The journal is the source of what counts (finished steps and the end, with ids, in order); live events fill the time
 * between. What the journal gives waits until the reader takes it; what is live cannot wait, so a reader that falls too far behind is dropped and resumes.
 */
export class EventStream {
  readonly runId: string;
  readonly principal: Principal;
  private readonly options: EventStreamOptions;
  private readonly response: ServerResponse;
  private readonly queue: Item[] = [];
  private readonly texts = new TextPlaces();
  private queuedBytes = 0;
  private lastSeq: number;
  private pumping = false;
  private closed = false;
  private lastReadMs = 0;
  private lastGapMs = 0;
  private blockedSinceMs: number | null = null;

  constructor(options: EventStreamOptions) {
    this.options = options;
    this.response = options.response;
    this.runId = options.runId;
    this.principal = options.principal;
    this.lastSeq = options.afterSeq;
    options.response.on("close", () => this.finish("reader-left"));
    options.response.on("error", () => this.finish("reader-left"));
  }

  /** Epoch milliseconds of the last read of the journal. */
  get readAtMs(): number {
    return this.lastReadMs;
  }

  /** Reads the journal when the events before are sent. */
  refresh(readUntilSeq = 0): void {
    const last = this.queue.at(-1);
    if (last !== undefined && "readUntilSeq" in last) last.readUntilSeq = Math.max(last.readUntilSeq, readUntilSeq);
    else this.queue.push({ readUntilSeq });
    this.pump();
  }

  onLiveEvent(event: LiveEvent): void {
    if (event.type === "step-finished") this.refresh(event.seq);
    if (event.type === "step-finished" || this.closed) return;
    const size = EVENT_SIZE + (event.type === "text-delta" ? event.text.length : 0);
    this.queue.push({ live: event, size });
    this.queuedBytes += size;
    this.dropIfTooSlow();
    this.pump();
  }

  /** A comment: keeps proxies from closing the connection and finds out whether the reader is still there. */
  keepAlive(): void {
    if (!this.pumping) this.response.write(": keep-alive\n\n");
    if (this.blockedSinceMs !== null && Date.now() - this.blockedSinceMs > this.options.maxBlockedMs) this.drop();
    else this.dropIfTooSlow();
  }

  end(reason: StreamEnd): void {
    if (this.closed) return;
    this.finish(reason);
    this.response.end();
  }

  private dropIfTooSlow(): void {
    if (this.queuedBytes + this.response.writableLength > this.options.maxBufferedBytes) this.drop();
  }

  private drop(): void {
    this.finish("reader-too-slow");
    this.response.destroy();
  }

  private pump(): void {
    if (this.pumping || this.closed) return;
    this.pumping = true;
    this.sendQueue().catch(() => {
      this.finish("store-failed");
      this.response.destroy();
    });
  }

  private async sendQueue(): Promise<void> {
    try {
      for (let item = this.queue.shift(); item !== undefined && !this.closed; item = this.queue.shift()) {
        if ("live" in item) {
          this.queuedBytes -= item.size;
          await this.sendLive(item.live);
        } else await this.sendJournal(item.readUntilSeq);
      }
    } finally {
      // In the same turn as the look into the empty queue: what is queued after this starts the pump again.
      this.pumping = false;
    }
  }

  private async sendLive(event: LiveEvent): Promise<void> {
    if (event.type === "text-delta") await this.sendText(event);
    else if (event.type === "step-started") {
      const { path, kind, atMs } = event;
      await this.write(format({ type: "step-started", path, kind, at: new Date(atMs).toISOString() }, null));
    } else if (event.type === "text-restarted" && this.texts.restart(event)) {
      await this.write(format({ type: "text-restarted", path: event.path, attempt: event.attempt }, null));
    }
  }

  /** Placed when its turn has come: a step that was read from the journal meanwhile needs no more text. */
  private async sendText(event: TextDelta): Promise<void> {
    const placed = this.texts.place(event);
    if (placed === "nothing") return;
    if (placed === "gap") {
      const now = Date.now();
      if (now - this.lastGapMs < GAP_PAUSE_MS) return;
      this.lastGapMs = now;
      this.options.onGap(this);
      return;
    }
    const { path, attempt, offset, text } = placed.show;
    if (placed.restarted) await this.write(format({ type: "text-restarted", path, attempt }, null));
    await this.write(format({ type: "text-delta", path, attempt, offset, text }, null));
  }

  /** Sends finished steps that were not sent before, and the end if the run has ended. */
  private async sendJournal(readUntilSeq: number): Promise<void> {
    for (let attempt = 0; !this.closed; attempt++) {
      const read = await this.readJournal();
      if (read === "unavailable") return;
      const { run, steps } = read;
      const finished = steps.filter((step) => step.seq !== null && step.seq > this.lastSeq).sort((a, b) => a.seq! - b.seq!);
      for (const step of finished) {
        this.lastSeq = step.seq!;
        const rest = this.texts.finish(step);
        if (rest !== null) await this.write(format({ type: "text-delta", ...rest }, null));
        await this.write(format({ type: "step-finished", seq: step.seq!, step }, step.seq));
        if (this.closed) return;
      }
      if (run === null || isTerminal(run.status)) {
        const seq = this.lastSeq + 1;
        if (run !== null) await this.write(format({ type: "run-finished", seq, run }, seq));
        this.end("run-finished");
        return;
      }
      const delayMs = COMMIT_DELAYS_MS[attempt];
      if (this.lastSeq >= readUntilSeq || delayMs === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  private async readJournal(): Promise<{ run: Run | null; steps: Step[] } | "unavailable"> {
    try {
      // The run first: when it has ended, the steps that are read after it are all there are.
      const run = await this.options.store.getRun(this.principal.environment, this.runId);
      return { run, steps: (await this.options.store.listSteps(this.principal.environment, this.runId)) ?? [] };
    } catch (error) {
      // The reader stays; the next look comes by itself.
      if (FlowRunError.isInstance(error) && error.retryable) return "unavailable";
      throw error;
    } finally {
      this.lastReadMs = Date.now();
    }
  }

  /** Resolves when the reader has room for more, or is gone. */
  private async write(text: string): Promise<void> {
    if (this.closed || this.response.write(text)) return;
    this.blockedSinceMs = Date.now();
    await new Promise<void>((resolve) => {
      const done = () => {
        this.response.off("drain", done);
        this.response.off("close", done);
        this.blockedSinceMs = null;
        resolve();
      };
      this.response.on("drain", done);
      this.response.on("close", done);
    });
  }

  private finish(reason: StreamEnd): void {
    if (this.closed) return;
    this.closed = true;
    this.queue.length = 0;
    this.options.onClose(this, reason);
  }
}

function format(event: RunEvent, id: number | null): string {
  // JSON text holds no line break, so one data line is always enough.
  return `${id === null ? "" : `id: ${id}\n`}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
