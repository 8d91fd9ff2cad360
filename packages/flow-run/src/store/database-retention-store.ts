import type { Database, Statement } from "./database/index.ts";
import { PRUNE_CONTENTS } from "./queries/prune-contents.ts";
import { PRUNE_DELIVERIES } from "./queries/prune-deliveries.ts";
import { PRUNE_KEYS, PRUNE_RUNS } from "./queries/prune-runs.ts";
import type { Prunable, PrunedPage, RetentionStore } from "./retention-store.ts";

const STATEMENTS: Record<Prunable, string> = { contents: PRUNE_CONTENTS, runs: PRUNE_RUNS, deliveries: PRUNE_DELIVERIES };

/**
 * Pages are read in the order of an index and end after a few rows, whatever the planner believes of the tables: it would read all that is old and sort it.
 * Holds for the transaction alone.
 */
const BY_INDEX: Statement = ["SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true)"];

/** Over either database. Nothing is repeated here: the next look finds what this one did not finish. */
export class DatabaseRetentionStore implements RetentionStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  environments(): Promise<{ name: string; release: number | null }[]> {
    return this.database.query("SELECT name, current_release AS release FROM flow_run.environment ORDER BY name");
  }

  async prune(what: Prunable, environment: string, keepMs: number, limit: number): Promise<PrunedPage | null> {
    const [, , rows] = await this.database.batch([
      BY_INDEX,
      ["INSERT INTO flow_run.retention_sweep (environment, what) VALUES ($1, $2) ON CONFLICT DO NOTHING", [environment, what]],
      [STATEMENTS[what], [environment, keepMs, limit]],
    ]);
    return (rows as unknown as PrunedPage[])[0] ?? null;
  }

  async pruneKeys(environment: string, limit: number): Promise<PrunedPage> {
    const [, rows] = await this.database.batch([BY_INDEX, [PRUNE_KEYS, [environment, limit]]]);
    return (rows as unknown as PrunedPage[])[0]!;
  }
}
