/** Kinds of things that are pruned when they are old enough. */
export type Prunable = "contents" | "runs" | "deliveries";

/** What one look found. */
export interface PrunedPage {
  /** How many were looked at; fewer than the limit: there is nothing more at the moment. */
  seen: number;
  pruned: number;
}

/**
 * Takes away, in the background, what environments no longer keep. Age is counted from the end of a run, or of a delivery, by the database's clock; what has not
 * ended, and a run whose webhook is still to be delivered, stays. Every call is one short statement, so that a crash leaves nothing half done.
 */
export interface RetentionStore {
  /** All environments with their current release. */
  environments(): Promise<{ name: string; release: number | null }[]>;
  /**
   * Looks at the next things, oldest first, at most `limit`, and prunes those that ended longer ago than `keepMs`. null: another process is at it.
   *
   * - `contents`: inputs, outputs and messages of runs and steps; the run, its usage and its cost stay
   * - `runs`: the runs with everything that belongs to them; what they cost is added to the rollups
   * - `deliveries`: webhook deliveries with their attempts
   */
  prune(what: Prunable, environment: string, keepMs: number, limit: number): Promise<PrunedPage | null>;
  /** Takes away the idempotency keys of pruned runs that are older than 7 days. */
  pruneKeys(environment: string, limit: number): Promise<PrunedPage>;
}
