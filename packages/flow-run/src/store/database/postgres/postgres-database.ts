import type pg from "pg";
import type { Db } from "pg-boss";
import { classified } from "../classify-error.ts";
import type { Database, QueryOptions, Row, Statement, Subscription, Transaction } from "../database.ts";
import { TransactionScope } from "../transaction-scope.ts";
import { runBatch } from "../wire/batch.ts";
import { clientTimeout, runQuery } from "../wire/run-query.ts";
import { clientConfig } from "./client-config.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { listen } from "./listen.ts";
import { type PostgresSettings, type ResolvedSettings, resolveSettings } from "./settings.ts";

/** A PostgreSQL server behind a pool of connections, one more for heartbeats, and one for each subscription. */
export class PostgresDatabase implements Database {
  readonly kind = "postgres";
  readonly pgBoss: Db;
  private readonly settings: ResolvedSettings;
  private readonly shared: ConnectionPool;
  private readonly heartbeat: ConnectionPool;
  private readonly scope = new TransactionScope();
  private readonly subscriptions = new Set<Subscription>();

  constructor(settings: PostgresSettings) {
    this.settings = resolveSettings(settings);
    const { maxConnections, onConnectionLost } = this.settings;
    this.shared = new ConnectionPool(
      { ...clientConfig(this.settings, "pool"), max: maxConnections, idleTimeoutMillis: 30_000 },
      onConnectionLost,
    );
    this.heartbeat = new ConnectionPool({ ...clientConfig(this.settings, "heartbeat"), max: 1, idleTimeoutMillis: 0 }, onConnectionLost);
    this.pgBoss = {
      executeSql: async (text, values) => ({ rows: await this.query(text, values) }),
      listen: (channel, onNotification, onReconnect) => this.listen(channel, onNotification, onReconnect),
    };
  }

  async query<R = Row>(text: string, params?: readonly unknown[], options: QueryOptions = {}): Promise<R[]> {
    this.scope.assertOutside();
    const { timeoutMs } = options;
    // Without parameters the text may hold several statements, with their own BEGIN.
    const restoring = timeoutMs !== undefined || params === undefined || params.length === 0;
    return classified(
      this.poolFor(options).use(
        async (client) => {
          if (timeoutMs === undefined) return runQuery<R>(client, text, params, undefined, options.prepare);
          return withTimeout(client, timeoutMs, () => runQuery<R>(client, text, params, timeoutMs));
        },
        { restoring },
      ),
    );
  }

  async batch(statements: readonly Statement[], options: QueryOptions = {}): Promise<Row[][]> {
    this.scope.assertOutside();
    if (statements.length === 0) return [];
    const { timeoutMs } = options;
    return classified(
      this.poolFor(options).use(
        async (client) => {
          if (timeoutMs === undefined) return runBatch(client, statements, undefined);
          return withTimeout(client, timeoutMs, () => runBatch(client, statements, clientTimeout(timeoutMs)));
        },
        { restoring: timeoutMs !== undefined },
      ),
    );
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>, options: Pick<QueryOptions, "timeoutMs"> = {}): Promise<T> {
    this.scope.assertOutside();
    const { timeoutMs } = options;
    return this.shared.use(
      async (client) => {
        let open = true;
        const query = async <R>(text: string, params?: readonly unknown[]): Promise<R[]> => {
          if (!open) throw new Error("The transaction has ended. Await every statement before the work returns.");
          return classified(runQuery<R>(client, text, params, timeoutMs));
        };
        const tx: Transaction = {
          query,
          exec: async (sql) => void (await query(sql)),
          pgBoss: { executeSql: async (text, values) => ({ rows: await query(text, values) }) },
        };
        // Not awaited: travels with the first statement, which fails with it.
        const begun = runQuery(client, timeoutMs === undefined ? "BEGIN" : `BEGIN; ${setTimeouts("LOCAL", timeoutMs)}`, undefined);
        begun.catch(() => {});
        try {
          const result = await this.scope.run(() => work(tx));
          open = false;
          await classified(begun);
          await classified(client.query("COMMIT")).then(assertCommitted);
          return result;
        } catch (error) {
          open = false;
          // The connection is closed as well, which ends the transaction even if this does not arrive.
          await runQuery(client, "ROLLBACK", undefined).catch(() => {});
          throw error;
        }
      },
      { restoring: true },
    );
  }

  async exec(sql: string): Promise<void> {
    await this.query(sql, undefined, { timeoutMs: 0 });
  }

  async listen(channel: string, onPayload: (payload: string) => void, onReconnect: () => void): Promise<Subscription> {
    this.scope.assertOutside();
    const config = clientConfig(this.settings, "listen");
    const subscription = await listen(config, channel, onPayload, onReconnect, this.settings.onConnectionLost);
    this.subscriptions.add(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()));
    await Promise.all([this.shared.close(), this.heartbeat.close()]);
  }

  private poolFor(options: QueryOptions): ConnectionPool {
    return options.connection === "heartbeat" ? this.heartbeat : this.shared;
  }
}

async function withTimeout<T>(client: pg.PoolClient, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const lifted = runQuery(client, setTimeouts("SESSION", timeoutMs), undefined);
  lifted.catch(() => {});
  const result = await work();
  await lifted;
  await runQuery(client, "RESET statement_timeout; RESET lock_timeout; RESET idle_in_transaction_session_timeout", undefined);
  return result;
}

function setTimeouts(scope: "LOCAL" | "SESSION", timeoutMs: number): string {
  const ms = Math.max(0, Math.floor(timeoutMs));
  return ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]
    .map((name) => `SET ${scope} ${name} = ${ms}`)
    .join("; ");
}

/** PostgreSQL answers COMMIT of a failed transaction with success and rolls back; that must not look like a commit. */
function assertCommitted({ command }: pg.QueryResult): void {
  if (command !== "COMMIT")
    throw new Error("The transaction was rolled back: one of its statements had failed and the failure was ignored.");
}
