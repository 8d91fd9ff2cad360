import type { Database } from "./database/index.ts";
import type { Store } from "./store.ts";

export interface StoreOptions {
  /** Stays the caller's: close it after the store. */
  database: Database;
  /** No other process can hold a run, so those under way are taken up at once instead of after their lease. Default: true for an embedded database, which one process locks. */
  onlyProcess?: boolean;
  /** How often runs of dead workers are looked for. Whole seconds, default 1. A dead worker's runs go on after 10 s to 10 s and this. */
  monitorSeconds?: number;
  /** How long a submit waits for a database that is away before it throws `StoreUnavailableError`. Default 10,000. */
  submitTimeoutMs?: number;
  /** Told of failures that nobody awaits; the store goes on by itself. */
  onTrouble?(error: unknown, doing: string): void;
}

/** Migrates the database, starts the queue and gives out the store. Loads what it needs only now: commands without a database start without it. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { startStore } = await import("./start-store.ts");
  return startStore(options);
}
