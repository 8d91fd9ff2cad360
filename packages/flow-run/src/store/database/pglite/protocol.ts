/** What the worker is started with. */
export interface WorkerStart {
  directory: string;
  /** A template made by `buildTemplate`; without one (or with an unreadable one) a new directory is made by initdb. */
  templateFile: string | null;
  /** Compile WebAssembly with the baseline compiler only. */
  smallMemory: boolean;
  maintenance: boolean;
}

/** To the worker: a `Uint8Array` is a frontend message sequence of the PostgreSQL protocol, to be answered by one `Uint8Array`. */
export type ToWorker = Uint8Array | { kind: "close" } | { kind: "maintain" };

export type FromWorker =
  | Uint8Array
  | { kind: "opened"; created: boolean; fromTemplate: boolean; timingsMs: Record<string, number> }
  /** Opening failed; the worker has ended. `code` is a FlowRunError's. */
  | { kind: "refused"; code: string; message: string }
  /** The server inside is broken; what was under way is unknown. */
  | { kind: "fatal"; message: string }
  | { kind: "closed" };
