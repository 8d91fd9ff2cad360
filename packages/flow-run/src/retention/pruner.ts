import type { Prunable, PrunedPage, Store } from "../store/index.ts";
import { PageSize } from "./page-size.ts";
import { readRetention } from "./read-retention.ts";

export interface PrunerClock {
  /** Rejects when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface PrunerParts {
  store: Pick<Store, "retention" | "getBundle">;
  clock: PrunerClock;
  /** Told of failures; the next look goes on where this one was. */
  onTrouble(error: unknown, doing: string): void;
  /** Between two looks at everything. Default 10,000. */
  everyMs?: number;
}

/** Runs first: what goes with them need not be emptied before. */
const KINDS = [
  ["runs", "runsMs"],
  ["contents", "contentsMs"],
  ["deliveries", "deliveriesMs"],
] as const;

/** Least rest between two pages; beyond that as long as the page took, so that pruning never takes more than half of what the database can do. */
const LEAST_REST_MS = 10;

/** Prunes all environments, one after the other, while the process lives. Any number of processes may: what one is at, the others leave alone. */
export class Pruner {
  private readonly parts: Required<PrunerParts>;
  private readonly stopping = new AbortController();
  private readonly sizes = new Map<string, PageSize>();
  private looping: Promise<void> = Promise.resolve();

  constructor(parts: PrunerParts) {
    this.parts = { everyMs: 10_000, ...parts };
  }

  start(): void {
    this.looping = this.loop();
  }

  /** Resolves when the page under way is done. */
  async drain(): Promise<void> {
    this.stopping.abort();
    await this.looping;
  }

  private async loop(): Promise<void> {
    const { clock, everyMs, onTrouble } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.lookOnce().catch((error) => onTrouble(error, "pruning what is no longer kept"));
      await clock.sleep(everyMs, signal).catch(() => {});
    }
  }

  /** All environments, until nothing of them is due. */
  private async lookOnce(): Promise<void> {
    const { store } = this.parts;
    for (const { name, release } of await store.retention.environments()) {
      const bundle = release === null ? null : await store.getBundle(name, release);
      const retention = readRetention(bundle, name);
      for (const [what, key] of KINDS) {
        const keepMs = retention[key];
        if (keepMs !== undefined) await this.pages(what, (limit) => store.retention.prune(what, name, keepMs, limit));
      }
      await this.pages("keys", (limit) => store.retention.pruneKeys(name, limit));
    }
  }

  private async pages(what: Prunable | "keys", page: (limit: number) => Promise<PrunedPage | null>): Promise<void> {
    const { clock } = this.parts;
    const { signal } = this.stopping;
    const size = this.sizeOf(what);
    while (!signal.aborted) {
      const limit = size.current;
      const startedAt = performance.now();
      const done = await page(limit);
      const tookMs = performance.now() - startedAt;
      if (done === null || done.seen < limit) return;
      size.took(done.seen, tookMs);
      await clock.sleep(Math.max(LEAST_REST_MS, tookMs), signal).catch(() => {});
    }
  }

  private sizeOf(what: string): PageSize {
    let size = this.sizes.get(what);
    if (size === undefined) {
      size = new PageSize();
      this.sizes.set(what, size);
    }
    return size;
  }
}
