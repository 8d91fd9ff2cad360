import type { Database } from "./database/index.ts";

export interface StatisticsOptions {
  database: Database;
  onTrouble(error: unknown, doing: string): void;
}

/** So many new rows make the first statistics of a process worthless. */
const FIRST = 200;
/** Later, and at least half of what was there. */
const SMALLEST_CHANGE = 5_000;
const REST_MS = 2_000;
/** What a process does not see (a restored dump, other processes' submits) shows in slow claims; busy machines have these, too. */
const DOUBT_MS = 60_000;

/** A tenth of the usual sample: 20 ms instead of 300, and good enough to tell a long queue from an empty one. */
const SAMPLE = "SET LOCAL default_statistics_target = 10; SET LOCAL lock_timeout = 500";

/**
 * Keeps the planner's statistics fresh through bursts of submits. With those of an empty queue, the next hundred of 300,000 jobs are found by sorting all
 * of them (0.1 to 1.4 s instead of some milliseconds), and a server's own autovacuum looks once a minute.
 */
export class Statistics {
  private readonly options: StatisticsOptions;
  private newRows = 0;
  private doubtedAtMs = Number.NEGATIVE_INFINITY;
  private enough = FIRST;
  private resting = false;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(options: StatisticsOptions) {
    this.options = options;
  }

  count(newRows: number): void {
    this.newRows += newRows;
    this.refreshIfStale();
  }

  /** Something took longer than it should. */
  doubt(): void {
    if (performance.now() < this.doubtedAtMs + DOUBT_MS) return;
    this.doubtedAtMs = performance.now();
    this.count(this.enough);
  }

  async close(): Promise<void> {
    this.resting = true;
    clearTimeout(this.timer);
    await this.running;
    clearTimeout(this.timer);
  }

  private refreshIfStale(): void {
    if (this.resting || this.newRows < this.enough) return;
    this.newRows = 0;
    this.resting = true;
    this.running = this.refresh()
      .catch((error) => this.options.onTrouble(error, "refreshing statistics"))
      .finally(() => {
        // The end of a burst comes while we rest, and nothing may follow it: so look again afterwards.
        this.timer = setTimeout(() => {
          this.resting = false;
          this.refreshIfStale();
        }, REST_MS);
        this.timer.unref();
      });
  }

  private async refresh(): Promise<void> {
    const rows = await this.options.database.transaction(async (tx) => {
      await tx.exec(`${SAMPLE}; ANALYZE pgboss.job_common; ANALYZE flow_run.run`);
      return tx.query<{ jobs: number }>("SELECT reltuples::float8 AS jobs FROM pg_class WHERE oid = 'pgboss.job_common'::regclass");
    });
    this.enough = Math.max(SMALLEST_CHANGE, (rows[0]?.jobs ?? 0) / 2);
  }
}
