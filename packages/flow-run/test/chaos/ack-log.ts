import fs from "node:fs";
import type { Order } from "./orders.ts";

/** One line of the client's own book. `unknown`: no answer came, so it may have happened or not. */
export interface AckLine {
  atMs: number;
  key: string;
  event: "invoke" | "ok" | "fail" | "unknown";
  status?: number;
  run?: string;
}

/** A promise: what a 202 said. */
export interface Accepted {
  order: Order;
  key: string;
  run: string;
  release: number;
  /** When it was first sent, and when the 202 came. */
  invokedMs: number;
  acceptedMs: number;
}

/** What the client has been told, kept on its side alone. */
export class AckLog {
  readonly accepted = new Map<string, Accepted>();
  /** Things that no server may ever answer. */
  readonly complaints: string[] = [];
  readonly counts = { invoke: 0, ok: 0, fail: 0, unknown: 0 };
  private file: number | null;

  constructor(path: string) {
    this.file = fs.openSync(path, "a");
  }

  write(key: string, event: AckLine["event"], more: Pick<AckLine, "status" | "run"> = {}): void {
    if (this.file === null) return;
    this.counts[event]++;
    fs.writeSync(this.file, `${JSON.stringify({ atMs: Date.now(), key, event, ...more } satisfies AckLine)}\n`);
  }

  accept(promise: Accepted): void {
    const before = this.accepted.get(promise.key);
    if (before === undefined) this.accepted.set(promise.key, promise);
    else if (before.run !== promise.run)
      this.complaints.push(`accept once: the key ${promise.key} was answered with ${before.run} and then with ${promise.run}`);
  }

  close(): void {
    if (this.file !== null) fs.closeSync(this.file);
    this.file = null;
  }
}
