import type { Database } from "../database/index.ts";
import { FencedError } from "../fenced-error.ts";
import type { DurableWaits, WaitState, WaitToStand } from "../journal.ts";
import { closeWait } from "../queries/close-wait.ts";
import { type OpenedWait, openWaits, type WaitToOpen } from "../queries/open-waits.ts";
import { type RunToSuspend, suspendRuns, suspendRunsSql } from "../queries/suspend-runs.ts";
import { storableText, storeJson } from "../storable-json.ts";
import { Batcher } from "./batcher.ts";
import { type Patience, persist, writeAll } from "./write-all.ts";

export interface WaitKeeperOptions {
  database: Database;
  insertJobsSql: string;
  sender: string;
  signal: AbortSignal;
  /** Suspended runs had to be queued at once, or have made room for others. */
  onQueued(): void;
  onTrouble(error: unknown, doing: string): void;
}

const MOST_ITEMS = 250;

/** The waits of all runs of this process, gathered into one transaction a turn. Keeps trying while the database is away, as the journal does. */
export class WaitKeeper {
  private readonly options: WaitKeeperOptions;
  private readonly patience: Patience;
  private readonly suspendSql: string;
  private readonly opens: Batcher<WaitToOpen, OpenedWait>;
  private readonly suspends: Batcher<RunToSuspend, boolean>;

  constructor(options: WaitKeeperOptions) {
    this.options = options;
    const { database, signal, onTrouble } = options;
    this.suspendSql = suspendRunsSql(options.insertJobsSql);
    this.patience = { signal, giveUpAfterMs: Number.POSITIVE_INFINITY, onRetry: (error) => onTrouble(error, "recording waits") };
    this.opens = new Batcher({
      write: (waits) => writeAll(waits, (some) => openWaits(database, some), this.patience),
      maxItems: MOST_ITEMS,
    });
    this.suspends = new Batcher({
      write: (runs) => writeAll(runs, (some) => this.suspend(some), this.patience),
      maxItems: MOST_ITEMS,
    });
  }

  /** The waits of one run, for its owner. `commit` makes durable what its journal has queued. */
  of({ id: runId, epoch }: { id: string; epoch: number }, commit: () => Promise<void>): DurableWaits {
    return {
      open: async (wait) => {
        await commit();
        const opened = await this.opens.add(toStored(runId, epoch, wait));
        if (opened.fenced) throw new FencedError(runId);
        const { delivered, payload, remainingMs } = opened;
        return { delivered, payload, remainingMs } satisfies WaitState;
      },
      close: (path) => persist(() => closeWait(this.options.database, { runId, epoch, path: storableText(path) }), this.patience),
      suspend: async (paths, deadlineMs) => {
        await commit();
        const held = await this.suspends.add({ runId, epoch, paths: paths.map((path) => storableText(path)), deadlineMs });
        if (!held) throw new FencedError(runId);
      },
    };
  }

  async drain(): Promise<void> {
    await Promise.all([this.opens.drain(), this.suspends.drain()]);
  }

  private async suspend(runs: readonly RunToSuspend[]): Promise<boolean[]> {
    const { database, sender, onQueued } = this.options;
    const { held, ready } = await suspendRuns(database, this.suspendSql, sender, runs);
    if (ready > 0) setImmediate(onQueued);
    return held;
  }
}

function toStored(runId: string, epoch: number, { path, signal, dueInMs, payloadSchema }: WaitToStand): WaitToOpen {
  return { runId, epoch, path: storableText(path), signal, dueInMs, payloadSchema: storeJson(payloadSchema as never) };
}
