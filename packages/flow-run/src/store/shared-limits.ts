import { setTimeout as pause } from "node:timers/promises";
import type { Json } from "@flow-run/spec";
import type { Database } from "./database/index.ts";
import { StoreUnavailableError } from "./database/store-unavailable-error.ts";
import { readLimits, replaceLimits } from "./queries/shared-limits.ts";

/** Makes a document's next content of its present one (null: there is none yet). `nowMs` is the database's clock. */
export type ChangeLimit = (key: string, state: Json | null, nowMs: number) => Json;

/** One document for each limit that processes share. */
export interface SharedLimits {
  /**
   * Changes documents, one change at a time for each key. `change` may be called again for a key when another process was faster; its last result
   * counts. No lock is held meanwhile, so a process that freezes here holds nobody up. Throws `StoreUnavailableError`; the outcome is then unknown.
   */
  change(keys: readonly string[], change: ChangeLimit): Promise<void>;
}

/** Enough for dozens of processes at once. */
const MOST_TRIES = 30;

/** Whoever lost tries again after up to so long. */
const LONGEST_PAUSE_MS = 15;

export class DatabaseSharedLimits implements SharedLimits {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async change(keys: readonly string[], change: ChangeLimit): Promise<void> {
    let left = [...new Set(keys)];
    for (let tries = 0; left.length > 0; tries++) {
      if (tries === MOST_TRIES) throw new StoreUnavailableError("Too many processes change the same limit at once. It is tried again.");
      if (tries > 0) await pause(Math.random() * LONGEST_PAUSE_MS);
      const before = await readLimits(this.database, left);
      const next = before.map(({ key, version, state, nowMs }) => ({ key, version, state: change(key, state, nowMs) }));
      const replaced = new Set(await replaceLimits(this.database, next));
      left = left.filter((key) => !replaced.has(key));
    }
  }
}
