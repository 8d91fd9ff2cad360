import type { Db } from "pg-boss";

/** One statement and its parameters. JSON goes in as `JSON.stringify`ed text; arrays of JSON as `text[]`, cast with `$n::text[]::jsonb[]`; times as ISO strings. */
export type Statement = readonly [text: string, params?: readonly unknown[]];

/** A row by column name. `int8` is a number (a bigint beyond 2^53), `timestamptz` a Date, `json`/`jsonb` parsed, `numeric` and `date` strings. */
export type Row = Record<string, unknown>;

export interface QueryOptions {
  /** `heartbeat` keeps a connection of its own, so that leases are prolonged while everything else waits for a free one. Default `shared`. */
  connection?: "shared" | "heartbeat";
  /** Gives up after so many milliseconds with `StoreUnavailableError`; 0 never does. Default: the database's own limit (10 s). */
  timeoutMs?: number;
  /**
   * Parsed and planned once a connection, not with each call, and known there by this name, which must belong to one text only. For long statements
   * that run often, with parameters and without `timeoutMs`.
   */
  prepare?: string;
}

/** The inside of a transaction. Only valid until the work given to `transaction` has settled. */
export interface Transaction {
  query<R = Row>(text: string, params?: readonly unknown[]): Promise<R[]>;
  /** Several statements, no parameters. */
  exec(sql: string): Promise<void>;
  /** The same transaction for pg-boss: `boss.send(queue, data, { db: tx.pgBoss })`. */
  readonly pgBoss: Pick<Db, "executeSql">;
}

export interface Subscription {
  close(): Promise<void>;
}

/**
 * PostgreSQL, on a server or embedded. SQL and values are the same on both.
 *
 * Errors: `StoreUnavailableError` when the database cannot be reached or does not answer in time (the outcome of the statement is then unknown),
 * FlowRunError `database-full`, FlowRunError `invalid-text` for text with a NUL character; every other error is the driver's, with its SQLSTATE in `code`.
 */
export interface Database {
  readonly kind: "postgres" | "pglite";
  query<R = Row>(text: string, params?: readonly unknown[], options?: QueryOptions): Promise<R[]>;
  /** All statements in one transaction and one round trip, all or nothing. Resolves after the commit, with the rows of each statement. */
  batch(statements: readonly Statement[], options?: QueryOptions): Promise<Row[][]>;
  /**
   * Commits when the work resolves, rolls back when it throws. Calling the database itself from inside the work throws, because that statement
   * would escape the transaction or wait for it for ever. `timeoutMs` holds for each statement and for the pauses between them.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: Pick<QueryOptions, "timeoutMs">): Promise<T>;
  /** Several statements, no parameters, no time limit (migrations). */
  exec(sql: string): Promise<void>;
  /**
   * Resolves once listening. `onReconnect` is called at once and after every lost connection: notifications may have been missed, so look again.
   * Channel names are lower-case identifiers.
   */
  listen(channel: string, onPayload: (payload: string) => void, onReconnect: () => void): Promise<Subscription>;
  /** For `new PgBoss({ db, backend: kind })`. */
  readonly pgBoss: Db;
  close(): Promise<void>;
}
