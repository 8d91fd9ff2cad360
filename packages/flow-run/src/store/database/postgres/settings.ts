/** How a PostgreSQL server is used. All times are below the lease of a run (15 s), so that a stuck connection never outlives its ownership. */
export interface PostgresSettings {
  connectionString: string;
  /** Connections for everything but heartbeats and notifications. Default 10. */
  maxConnections?: number;
  /** How long to wait for a free or new connection. Default 5000. */
  connectTimeoutMs?: number;
  /** Server-side limit of one statement. Default 10000. */
  statementTimeoutMs?: number;
  /** Server-side limit of waiting for a lock. Default 5000. */
  lockTimeoutMs?: number;
  /** After which the server ends a transaction whose client is silent (paused, cut off). Default 10000. */
  idleInTransactionTimeoutMs?: number;
  /** Accepts a server with `fsync` or `synchronous_commit` off, which may forget accepted runs when it crashes. Default false. */
  allowUnsafeDurability?: boolean;
  /** Told of connections lost between queries. They are replaced; nothing needs doing. */
  onConnectionLost?: (error: Error) => void;
}

export type ResolvedSettings = Required<PostgresSettings>;

export function resolveSettings(settings: PostgresSettings): ResolvedSettings {
  return {
    maxConnections: 10,
    connectTimeoutMs: 5000,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5000,
    idleInTransactionTimeoutMs: 10_000,
    allowUnsafeDurability: false,
    onConnectionLost: () => {},
    ...settings,
  };
}
