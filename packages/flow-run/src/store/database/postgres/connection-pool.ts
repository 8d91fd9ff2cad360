import pg from "pg";
import { classifyError } from "../classify-error.ts";
import { StoreUnavailableError } from "../store-unavailable-error.ts";

/** After one of these the connection itself is gone or in doubt, not just the statement. */
const CONNECTION_CLASSES = new Set(["08", "53", "57", "58", "XX"]);

function spoilsConnection(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code !== "string" || code.length !== 5 || CONNECTION_CLASSES.has(code.slice(0, 2)) || code === "25P03" || code === "25P04";
}

/** Lends connections. A connection that may be broken or inside a transaction is closed and never lent again. */
export class ConnectionPool {
  private readonly pool: pg.Pool;
  private readonly uses = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;

  constructor(config: pg.PoolConfig, onConnectionLost: (error: Error) => void) {
    this.pool = new pg.Pool(config);
    this.pool.on("error", onConnectionLost);
    // Covers a connection that drops while it is lent out and between two queries: without a listener that event ends the process.
    this.pool.on("connect", (client) => client.on("error", onConnectionLost));
  }

  /** `restoring`: the use may leave the connection in a transaction or with other settings; a failed one is then always closed. */
  use<T>(work: (client: pg.PoolClient) => Promise<T>, { restoring = false } = {}): Promise<T> {
    if (this.closing)
      return Promise.reject(new StoreUnavailableError("The connection to the database was closed: this process is shutting down."));
    const use = this.lend(work, restoring).finally(() => this.uses.delete(use));
    this.uses.add(use);
    return use;
  }

  /** Lets the uses under way finish. */
  close(): Promise<void> {
    this.closing ??= Promise.allSettled(this.uses).then(() => this.pool.end());
    return this.closing;
  }

  private async lend<T>(work: (client: pg.PoolClient) => Promise<T>, restoring: boolean): Promise<T> {
    let client: pg.PoolClient;
    try {
      client = await this.pool.connect();
    } catch (error) {
      throw classifyError(error);
    }
    let result: T;
    try {
      result = await work(client);
    } catch (error) {
      client.release(restoring || spoilsConnection(error));
      throw error;
    }
    client.release();
    return result;
  }
}
