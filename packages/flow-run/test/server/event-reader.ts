import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { ADMIN_KEY } from "./test-server.ts";

export interface SentEvent {
  id: string | null;
  event: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever comes back
  data: any;
}

/** Reads an event stream from a bare socket, so that a test decides when and whether anything is read. */
export class EventReader {
  readonly socket: Socket;
  readonly events: SentEvent[] = [];
  comments = 0;
  status = 0;
  head = "";
  body = "";
  private buffered = "";
  private readonly waiting: { until: () => boolean; resolve: () => void }[] = [];
  readonly closed: Promise<void>;

  constructor(port: number, runId: string, headers: Record<string, string> = {}) {
    const all: Record<string, string> = { host: "127.0.0.1", authorization: `Bearer ${ADMIN_KEY}`, ...headers };
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.on("close", () => resolve()));
    this.socket.on("data", (chunk) => this.take(String(chunk)));
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`GET /v1/runs/${runId}/events HTTP/1.1\r\n${lines.join("")}\r\n`);
    onTestFinished(() => void this.socket.destroy());
  }

  /** Resolves when the condition holds; the test's timeout is the limit. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ until: condition, resolve }));
  }

  opened(): Promise<void> {
    return this.until(() => this.status !== 0);
  }

  async event(index: number): Promise<SentEvent> {
    await this.until(() => this.events.length > index);
    return this.events[index]!;
  }

  private take(text: string): void {
    this.buffered += text;
    if (this.status === 0) {
      const end = this.buffered.indexOf("\r\n\r\n");
      if (end === -1) return;
      this.head = this.buffered.slice(0, end);
      this.status = Number(/^HTTP\/1\.1 (\d+)/.exec(this.head)![1]);
      this.buffered = this.buffered.slice(end + 4);
    }
    if (this.head.includes("text/event-stream")) this.takeEvents();
    else this.body += this.buffered.slice(0);
    for (const waiter of [...this.waiting]) {
      if (!waiter.until()) continue;
      this.waiting.splice(this.waiting.indexOf(waiter), 1);
      waiter.resolve();
    }
  }

  /** Chunk sizes stand on lines of their own and are no fields, so they need no decoding here. */
  private takeEvents(): void {
    for (let end = this.buffered.indexOf("\n\n"); end !== -1; end = this.buffered.indexOf("\n\n")) {
      const lines = this.buffered.slice(0, end).split("\n");
      this.buffered = this.buffered.slice(end + 2);
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
      if (lines.some((line) => line.startsWith(":"))) this.comments++;
      const data = field("data");
      if (data !== null) this.events.push({ id: field("id"), event: field("event"), data: JSON.parse(data) });
    }
  }
}
