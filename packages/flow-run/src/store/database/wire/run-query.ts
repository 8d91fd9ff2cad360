import type pg from "pg";
import type { Row } from "../database.ts";
import { arrayLiteral } from "./array-literal.ts";

/** The longest a JavaScript timer can wait; the driver takes 0 for "the default". */
const NO_LIMIT_MS = 2 ** 31 - 1;

/** The driver's own time limit for one query: undefined keeps the client's, 0 lifts it. */
export function clientTimeout(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === 0 ? NO_LIMIT_MS : timeoutMs;
}

/** One statement, or without parameters several; the rows of all of them. */
export async function runQuery<R = Row>(
  client: pg.ClientBase,
  text: string,
  params: readonly unknown[] | undefined,
  timeoutMs?: number,
  prepare?: string,
): Promise<R[]> {
  const config: pg.QueryConfig & { query_timeout?: number } = { text };
  if (prepare !== undefined) config.name = prepare;
  if (params !== undefined && params.length > 0)
    config.values = params.map((value) => (Array.isArray(value) ? arrayLiteral(value) : value));
  const limit = clientTimeout(timeoutMs);
  if (limit !== undefined) config.query_timeout = limit;
  const result = (await client.query(config)) as unknown as { rows: R[] } | { rows: R[] }[];
  return Array.isArray(result) ? result.flatMap((one) => one.rows) : result.rows;
}
