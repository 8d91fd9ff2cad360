import { EventEmitter } from "node:events";
import type { Worker } from "node:worker_threads";
import type { ToWorker } from "./protocol.ts";

/**
 * What the PostgreSQL driver takes for its socket. Everything written between `cork` and `uncork` (one query's messages) goes to the worker as one
 * request, so that the server inside always sees whole message sequences.
 */
export class WorkerStream extends EventEmitter {
  writable = true;
  private readonly worker: Worker;
  private pending: Uint8Array[] = [];
  private corks = 0;
  private destroyed = false;

  constructor(worker: Worker) {
    super();
    this.worker = worker;
  }

  /** Called by the owner of the worker with each answer. */
  receive(bytes: Uint8Array): void {
    if (!this.destroyed) this.emit("data", Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  connect(): void {
    queueMicrotask(() => this.emit("connect"));
  }

  cork(): void {
    this.corks++;
  }

  uncork(): void {
    if (--this.corks === 0) this.flush();
  }

  write(bytes: Uint8Array, callback?: () => void): boolean {
    if (!this.destroyed) {
      this.pending.push(bytes);
      if (this.corks === 0) this.flush();
    }
    if (callback) queueMicrotask(callback);
    return true;
  }

  end(): void {
    this.destroy();
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.writable = false;
    queueMicrotask(() => {
      if (error) this.emit("error", error);
      this.emit("close");
    });
    return this;
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  ref(): void {}
  unref(): void {}

  private flush(): void {
    if (this.pending.length === 0) return;
    const whole = new Uint8Array(this.pending.reduce((sum, bytes) => sum + bytes.length, 0));
    let offset = 0;
    for (const bytes of this.pending) {
      whole.set(bytes, offset);
      offset += bytes.length;
    }
    this.pending = [];
    if (whole[0] === "X".charCodeAt(0)) return; // the driver's goodbye: the worker is closed in its own way
    this.worker.postMessage(whole satisfies ToWorker, [whole.buffer]);
  }
}
