import type pg from "pg";
import { valueTypes } from "../value-types.ts";
import type { ResolvedSettings } from "./settings.ts";

/** What the meaning of our statements depends on, whatever the server's defaults are. */
const SESSION: [name: string, value: string][] = [
  // All our statements have an index to go by. A plan made while a table was still empty would read all of it for ever after.
  ["enable_seqscan", "off"],
  // What they need is in memory, so it is rows that cost. With pages as dear as they are by default, all indexes of a table look alike while it is small.
  ["seq_page_cost", "0.02"],
  ["random_page_cost", "0.02"],
  ["jit", "off"], // compiling a plan takes longer than running any of them
  ["timezone", "UTC"],
  ["datestyle", "ISO"],
  ["default_transaction_isolation", "read committed"],
];

/** Options of every connection, whatever its purpose. */
export function clientConfig(settings: ResolvedSettings, purpose: string): pg.ClientConfig {
  return {
    connectionString: settings.connectionString,
    application_name: `flow-run ${purpose}`,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    statement_timeout: settings.statementTimeoutMs,
    lock_timeout: settings.lockTimeoutMs,
    idle_in_transaction_session_timeout: settings.idleInTransactionTimeoutMs,
    // The server's limit fires first while the server is reachable; this one is for when it is not.
    query_timeout: settings.statementTimeoutMs + 2000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5000,
    pipeline: true,
    options: SESSION.map(([name, value]) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`).join(" "),
    types: valueTypes as pg.CustomTypesConfig,
  };
}
