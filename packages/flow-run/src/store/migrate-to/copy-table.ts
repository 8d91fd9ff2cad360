import type { Transaction } from "../database/index.ts";
import type { Table } from "./tables.ts";

/** About how much one round trip carries. Rows are of all sizes, so their number follows from the size of those before. */
const CHUNK_BYTES = 4 * 1024 * 1024;
const MOST_ROWS = 2000;

/** Copies all rows, some at a time, as PostgreSQL's own text of each value, which is exact for every type. Returns their number. */
export async function copyTable(source: Transaction, target: Transaction, table: Table, onRows: (rows: number) => void): Promise<number> {
  const names = table.columns.map((column) => column.name);
  const texts = names.map((name, at) => `${name}::text AS c${at}`);
  // A queue may name another one as the place for its dead letters: those without such a name first.
  const order = table.name === "pgboss.queue" ? " ORDER BY dead_letter NULLS FIRST" : "";
  await source.exec(`DECLARE everything NO SCROLL CURSOR FOR SELECT ${texts.join(", ")} FROM ${table.name}${order}`);
  const values = table.columns.map((column, at) => `c${at}::${column.type}`);
  const lists = names.map((_, at) => `$${at + 1}::text[]`);
  const aliases = names.map((_, at) => `c${at}`);
  const insert = `INSERT INTO ${table.name} (${names.join(", ")}) OVERRIDING SYSTEM VALUE SELECT ${values.join(", ")} FROM unnest(${lists.join(", ")}) AS given (${aliases.join(", ")})`;
  let copied = 0;
  for (let wanted = 10; ; ) {
    const rows = await source.query<Record<string, string | null>>(`FETCH ${wanted} FROM everything`);
    if (rows.length === 0) break;
    const columns = aliases.map((alias) => rows.map((row) => row[alias] ?? null));
    await target.query(insert, columns);
    copied += rows.length;
    onRows(copied);
    const bytes = columns.reduce((sum, column) => sum + column.reduce((more, value) => more + (value?.length ?? 0), 0), 0);
    wanted = Math.max(1, Math.min(MOST_ROWS, wanted * 2, Math.floor((CHUNK_BYTES * rows.length) / (bytes + 1))));
  }
  await source.exec("CLOSE everything");
  return copied;
}

/** The number of rows and a sum over their contents, which is the same for the same rows in any order and on any server. */
export async function fingerprint(tx: Transaction, table: Table): Promise<string> {
  const row = table.columns.map((column) => `${column.name}::text`).join(", ");
  const [sum] = await tx.query<{ rows: number; hash: string }>(
    `SELECT count(*) AS rows, coalesce(sum(hashtextextended(ROW(${row})::text, 0)), 0)::text AS hash FROM ${table.name}`,
  );
  return `${sum?.rows} rows, ${sum?.hash}`;
}
