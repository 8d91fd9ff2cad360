import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { FlowRunError } from "@flow-run/spec";
import type { FromWorker, ToWorker, WorkerStart } from "./protocol.ts";
import { WorkerStream } from "./worker-stream.ts";

export interface WorkerOpened {
  created: boolean;
  fromTemplate: boolean;
  timingsMs: Record<string, number>;
}

/** Runs from sources and from dist alike: this file and the worker's have the same ending. */
const WORKER_FILE = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/** The worker thread: its start, its end, and the stream that the driver talks through. */
export class WorkerHandle {
  readonly stream: WorkerStream;
  private readonly worker: Worker;
  private readonly onFatal: (error: Error) => void;
  private ended = false;
  private opened: ((opened: WorkerOpened) => void) | undefined;
  private refused: ((error: Error) => void) | undefined;

  constructor(start: WorkerStart, onFatal: (error: Error) => void) {
    this.onFatal = onFatal;
    this.worker = new Worker(WORKER_FILE, { workerData: start, name: "flow-run embedded database" });
    this.stream = new WorkerStream(this.worker);
    this.worker.on("message", (message: FromWorker) => this.receive(message));
    this.worker.on("error", (error) => this.fail(error as Error));
    this.worker.on("exit", (code) => this.fail(new Error(`The embedded database's thread ended (exit code ${code}).`)));
  }

  /** Resolves once the database takes statements. On failure and on timeout the thread has ended. */
  async open(timeoutMs: number): Promise<WorkerOpened> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<WorkerOpened>((resolve, reject) => {
        this.opened = resolve;
        this.refused = reject;
        timer = setTimeout(() => {
          const message = `The embedded database did not open within ${Math.round(timeoutMs / 1000)} s. Check that its disk is not full, slow or a network drive.`;
          reject(new FlowRunError("database-open-timeout", message, { retryable: true }));
        }, timeoutMs);
      });
    } catch (error) {
      this.ended = true;
      await this.worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      this.refused = undefined;
    }
  }

  /** The database is lost: everything under way and everything later fails, and the owner is told once. */
  fail(error: Error): void {
    if (this.ended) return;
    if (this.refused) {
      this.refused(error);
      return;
    }
    this.ended = true;
    this.stream.destroy(error);
    void this.worker.terminate();
    this.onFatal(error);
  }

  maintain(): void {
    this.worker.postMessage({ kind: "maintain" } satisfies ToWorker);
  }

  /** Waits for the last statements, checkpoints and ends the thread. */
  async close(): Promise<void> {
    if (this.ended) return void (await this.worker.terminate());
    this.ended = true;
    const exit = once(this.worker, "exit");
    this.worker.postMessage({ kind: "close" } satisfies ToWorker);
    await exit;
    this.stream.destroy();
  }

  private receive(message: FromWorker): void {
    if (message instanceof Uint8Array) this.stream.receive(message);
    else if (message.kind === "opened") this.opened?.(message);
    else if (message.kind === "refused") this.refused?.(new FlowRunError(message.code, message.message));
    else if (message.kind === "fatal") this.fail(new Error(`The embedded database broke down: ${message.message}`));
  }
}
