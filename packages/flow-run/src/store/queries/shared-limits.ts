import type { Json } from "@flow-run/spec";
import type { Database } from "../database/index.ts";

export interface LimitDocument {
  key: string;
  /** 0: there is none yet. */
  version: number;
  state: Json | null;
}

/** Whoever waits for them goes on with what it has after this time. */
const TIMEOUT_MS = 2_000;

/** The documents, with the database's time at which they were read. */
export async function readLimits(database: Database, keys: readonly string[]): Promise<(LimitDocument & { nowMs: number })[]> {
  return database.query<LimitDocument & { nowMs: number }>(
    `SELECT key, coalesce(version, 0) AS version, state, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs"
     FROM unnest($1::text[]) AS wanted (key) LEFT JOIN flow_run.shared_limit USING (key)`,
    [keys],
    { timeoutMs: TIMEOUT_MS },
  );
}

/** Replaces each document whose version is still the one that was read. Returns the keys of those. */
export async function replaceLimits(database: Database, documents: readonly LimitDocument[]): Promise<string[]> {
  // In the order of keys, so that two processes with several limits do not wait for each other.
  const rows = await database.query<{ key: string }>(
    `INSERT INTO flow_run.shared_limit AS kept (key, version, state)
     SELECT key, version + 1, state::json FROM unnest($1::text[], $2::bigint[], $3::text[]) AS next (key, version, state) ORDER BY key
     ON CONFLICT (key) DO UPDATE SET version = excluded.version, state = excluded.state WHERE kept.version = excluded.version - 1
     RETURNING key`,
    [documents.map(({ key }) => key), documents.map(({ version }) => version), documents.map(({ state }) => JSON.stringify(state))],
    { timeoutMs: TIMEOUT_MS },
  );
  return rows.map(({ key }) => key);
}
