import pg from "pg";
import type { Db } from "pg-boss";
import { classified } from "../classify-error.ts";
import type { Database, QueryOptions, Row, Statement, Subscription, Transaction } from "../database.ts";
import { StoreUnavailableError } from "../store-unavailable-error.ts";
import { TransactionScope } from "../transaction-scope.ts";
import { valueTypes } from "../value-types.ts";
import { runBatch } from "../wire/batch.ts";
import { clientTimeout, runQuery } from "../wire/run-query.ts";
import { SessionGate } from "./session-gate.ts";
import type { WorkerHandle } from "./worker-handle.ts";

/** A statement that takes longer means that the server inside hangs. There is no gentler way to stop it, so this is generous. */
const STATEMENT_TIMEOUT_MS = 60_000;
/** A transaction whose work goes silent keeps everybody else waiting. */
const IDLE_IN_TRANSACTION_MS = 10_000;

/** SQLSTATEs that say the files are not what the server left: going on would make it worse. */
const STORAGE_FAILURE = /^(58|XX001|XX002)/;

/** The embedded PostgreSQL: one session, in a worker thread, shared by everything in this process. */
export class PgliteDatabase implements Database {
  readonly kind = "pglite";
  readonly pgBoss: Db;
  private readonly worker: WorkerHandle;
  private readonly release: () => void;
  private readonly client: pg.Client;
  private closing: Promise<void> | undefined;
  private readonly gate = new SessionGate();
  private readonly scope = new TransactionScope();
  private readonly listeners = new Map<string, Set<(payload: string) => void>>();

  /** `release` gives up the directory's lock; called when the worker has ended. */
  constructor(worker: WorkerHandle, release: () => void) {
    this.worker = worker;
    this.release = release;
    this.client = new pg.Client({
      user: "postgres",
      database: "postgres",
      password: "",
      ssl: false,
      stream: () => worker.stream,
      pipeline: true,
      types: valueTypes as pg.CustomTypesConfig,
      query_timeout: STATEMENT_TIMEOUT_MS,
    } as unknown as pg.ClientConfig);
    this.client.on("error", (error) => worker.fail(error));
    this.client.on("notification", ({ channel, payload }) => {
      for (const listener of this.listeners.get(channel) ?? []) listener(payload ?? "");
    });
    this.pgBoss = {
      executeSql: async (text, values) => ({ rows: await this.query(text, values) }),
      listen: (channel, onNotification, onReconnect) => this.listen(channel, onNotification, onReconnect),
    };
  }

  async connect(): Promise<void> {
    await this.client.connect();
  }

  async query<R = Row>(text: string, params?: readonly unknown[], options: QueryOptions = {}): Promise<R[]> {
    this.scope.assertOutside();
    if (params === undefined || params.length === 0) return this.gate.alone(() => this.script<R>(text, options.timeoutMs));
    return this.gate.shared(() =>
      this.driver((limit) => runQuery<R>(this.client, text, params, limit, options.prepare), options.timeoutMs),
    );
  }

  async batch(statements: readonly Statement[], options: QueryOptions = {}): Promise<Row[][]> {
    this.scope.assertOutside();
    return this.gate.shared(() => this.driver((limit) => runBatch(this.client, statements, clientTimeout(limit)), options.timeoutMs));
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>, options: Pick<QueryOptions, "timeoutMs"> = {}): Promise<T> {
    this.scope.assertOutside();
    return this.gate.alone(async () => {
      let open = true;
      let expired: () => void = () => {};
      const silence = new Promise<never>((_, reject) => {
        expired = () =>
          reject(new StoreUnavailableError("A transaction was silent for too long and was rolled back. It can be tried again."));
      });
      silence.catch(() => {});
      let timer: NodeJS.Timeout | undefined;
      const awaitNext = () => {
        clearTimeout(timer);
        const limit = options.timeoutMs ?? IDLE_IN_TRANSACTION_MS;
        if (limit > 0) timer = setTimeout(expired, limit);
      };
      const query = async <R>(text: string, params?: readonly unknown[]): Promise<R[]> => {
        if (!open) throw new Error("The transaction has ended. Await every statement before the work returns.");
        clearTimeout(timer);
        try {
          return await this.driver((limit) => runQuery<R>(this.client, text, params, limit), options.timeoutMs);
        } finally {
          if (open) awaitNext();
        }
      };
      const tx: Transaction = {
        query,
        exec: async (sql) => void (await query(sql)),
        pgBoss: { executeSql: async (text, values) => ({ rows: await query(text, values) }) },
      };
      const begun = this.driver(() => runQuery(this.client, "BEGIN", undefined));
      begun.catch(() => {});
      try {
        awaitNext();
        const result = await Promise.race([this.scope.run(() => work(tx)), silence]);
        open = false;
        await begun;
        const { command } = await this.driver(() => this.client.query("COMMIT"));
        if (command !== "COMMIT")
          throw new Error("The transaction was rolled back: one of its statements had failed and the failure was ignored.");
        return result;
      } catch (error) {
        open = false;
        await runQuery(this.client, "ROLLBACK", undefined).catch(() => {});
        throw error;
      } finally {
        clearTimeout(timer);
      }
    });
  }

  async exec(sql: string): Promise<void> {
    await this.query(sql, undefined, { timeoutMs: 0 });
  }

  async listen(channel: string, onPayload: (payload: string) => void, onReconnect: () => void): Promise<Subscription> {
    this.scope.assertOutside();
    const listeners = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, listeners);
    const listener = (payload: string) => onPayload(payload);
    listeners.add(listener);
    if (listeners.size === 1) await this.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    onReconnect();
    return {
      close: async () => {
        listeners.delete(listener);
        if (listeners.size === 0) await this.query(`UNLISTEN ${pg.escapeIdentifier(channel)}`);
      },
    };
  }

  close(): Promise<void> {
    return this.closeThen(() => {});
  }

  /** Does `last` when the files are at rest and the directory is still locked. */
  closeThen(last: () => void): Promise<void> {
    this.closing ??= this.gate
      .alone(() => this.worker.close())
      .then(last)
      .finally(this.release);
    return this.closing;
  }

  /** Without parameters the text may hold several statements with their own BEGIN: a failure must not leave the session in a transaction. */
  private async script<R>(text: string, timeoutMs: number | undefined): Promise<R[]> {
    try {
      return await this.driver((limit) => runQuery<R>(this.client, text, undefined, limit), timeoutMs);
    } catch (error) {
      await runQuery(this.client, "ROLLBACK", undefined).catch(() => {});
      throw error;
    }
  }

  /**
   * A call of the driver. The embedded server cannot be interrupted, so a time limit only ends the waiting; the statement goes on and its outcome is
   * unknown, as the port says. The driver's own limit, after which the server counts as hung, can only be lifted.
   */
  private async driver<T>(call: (limit: 0 | undefined) => Promise<T>, timeoutMs?: number): Promise<T> {
    const answer = classified(call(timeoutMs === 0 ? 0 : undefined));
    try {
      return await (timeoutMs ? withinTime(answer, timeoutMs) : answer);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (typeof code === "string" && STORAGE_FAILURE.test(code)) this.worker.fail(error as Error);
      throw error;
    }
  }
}

async function withinTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new StoreUnavailableError(`The embedded database did not answer within ${timeoutMs} ms. The operation can be tried again.`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
