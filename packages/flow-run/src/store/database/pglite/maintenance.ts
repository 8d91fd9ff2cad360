import type { PGlite } from "@electric-sql/pglite";

const LOOK_EVERY_MS = 5000;
const CHECKPOINT_AFTER_MS = 60_000;
/** At most a tenth of the time goes into maintenance. */
const REST_FACTOR = 10;

/** One table per look, the neediest first. Thresholds are those of a server's autovacuum, with a floor that suits short passes. */
const NEEDIEST_TABLE = `
  SELECT format('%I.%I', s.schemaname, s.relname) AS name,
         (n_dead_tup > 5000 + 0.2 * n_live_tup
           OR n_ins_since_vacuum > 100000 + 0.2 * n_live_tup
           OR age(c.relfrozenxid) > 150000000) AS vacuum
    FROM pg_stat_all_tables s JOIN pg_class c ON c.oid = s.relid
   WHERE s.schemaname NOT IN ('pg_toast', 'information_schema')
     AND (n_dead_tup > 5000 + 0.2 * n_live_tup
       OR n_ins_since_vacuum > 100000 + 0.2 * n_live_tup
       OR n_mod_since_analyze > 500 + 0.1 * n_live_tup
       OR age(c.relfrozenxid) > 150000000)
   ORDER BY n_dead_tup + n_mod_since_analyze DESC
   LIMIT 1`;

/**
 * What the autovacuum, checkpointer and statistics processes of a server do, and an embedded one has nobody for. Runs between requests, never
 * inside a client's transaction.
 */
export class Maintenance {
  private readonly pg: PGlite;
  private timer: NodeJS.Timeout | undefined;
  private requests = 0;
  private requestsAtLook = 0;
  private checkpointAt = performance.now();
  private running = false;

  constructor(pg: PGlite) {
    this.pg = pg;
  }

  start(): void {
    this.timer = setTimeout(() => void this.pass(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  countRequest(): void {
    this.requests++;
  }

  /** One look: at most one table and one checkpoint. */
  async pass(): Promise<void> {
    if (this.running) return;
    this.running = true;
    const started = performance.now();
    try {
      if (this.requests !== this.requestsAtLook) {
        this.requestsAtLook = this.requests;
        await this.tendNeediestTable();
      }
      await this.checkpointIfDue();
    } catch {
      // The table may just have been dropped or the session may be in a transaction; the next look sees again. A broken server reports itself.
    } finally {
      this.running = false;
      if (this.timer) {
        this.timer = setTimeout(() => void this.pass(), Math.max(LOOK_EVERY_MS, REST_FACTOR * (performance.now() - started)));
        this.timer.unref();
      }
    }
  }

  private async tendNeediestTable(): Promise<void> {
    if (this.pg.isInTransaction()) return;
    const { rows } = await this.pg.query<{ name: string; vacuum: boolean }>(NEEDIEST_TABLE);
    const table = rows[0];
    if (!table) return;
    await new Promise(setImmediate); // lets requests that came meanwhile go first
    if (this.pg.isInTransaction()) return;
    await this.pg.exec(table.vacuum ? `VACUUM (ANALYZE) ${table.name}` : `ANALYZE ${table.name}`);
  }

  /** PostgreSQL without its background processes never checkpoints by itself: WAL, and the time to recover from it, would grow for ever. */
  private async checkpointIfDue(): Promise<void> {
    if (this.pg.isInTransaction()) return;
    const { rows } = await this.pg.query<{ bytes: number }>(
      "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 AS bytes FROM pg_control_checkpoint()",
    );
    const bytes = rows[0]?.bytes ?? 0;
    const due = bytes > 32 * 1024 * 1024 || (bytes > 1024 && performance.now() - this.checkpointAt > CHECKPOINT_AFTER_MS);
    if (!due) return;
    await new Promise(setImmediate);
    if (this.pg.isInTransaction()) return;
    await this.pg.exec("CHECKPOINT");
    this.checkpointAt = performance.now();
  }
}
