import type { Database } from "../../src/store/database/index.ts";

const COLUMNS = `
SELECT c.relname AS table, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') AS line
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'flow_run'::regnamespace AND c.relkind = 'r'
ORDER BY c.relname, a.attnum`;

// Newer servers list NOT NULL as constraints as well ('n').
const CONSTRAINTS = `
SELECT c.relname AS table, 'CONSTRAINT ' || k.conname || ' ' || pg_get_constraintdef(k.oid) AS line
FROM pg_class AS c JOIN pg_constraint AS k ON k.conrelid = c.oid
WHERE c.relnamespace = 'flow_run'::regnamespace AND k.contype <> 'n'
ORDER BY c.relname, k.contype DESC, k.conname`;

const INDEXES = `
SELECT c.relname AS table, pg_get_indexdef(i.indexrelid) AS line
FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE c.relnamespace = 'flow_run'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)
ORDER BY c.relname, x.relname`;

const OPTIONS = `
SELECT relname AS table, ' WITH (' || array_to_string(reloptions, ', ') || ')' AS line FROM pg_class
WHERE relnamespace = 'flow_run'::regnamespace AND relkind = 'r' AND reloptions IS NOT NULL`;

const COMMENTS = `
SELECT c.relname AS table, 'COMMENT ON COLUMN flow_run.' || c.relname || '.' || a.attname || ' IS ' || quote_literal(d.description) AS line
FROM pg_class AS c JOIN pg_description AS d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid
WHERE c.relnamespace = 'flow_run'::regnamespace AND c.relkind = 'r'
ORDER BY c.relname, a.attnum`;

interface Line {
  table: string;
  line: string;
}

/** The schema `flow_run` as it stands in the catalogs, in SQL, the same text from every version of PostgreSQL. */
export async function dumpSchema(database: Database): Promise<string> {
  const [columns, constraints, indexes, options, comments] = (await database.batch(
    [COLUMNS, CONSTRAINTS, INDEXES, OPTIONS, COMMENTS].map((sql) => [sql]),
  )) as unknown as Line[][];
  const of = (lines: Line[] | undefined, table: string) => (lines ?? []).filter((line) => line.table === table).map(({ line }) => line);
  const tables = [...new Set(columns!.map(({ table }) => table))];
  const statements = tables.flatMap((table) => [
    `CREATE TABLE flow_run.${table} (\n${[...of(columns, table), ...of(constraints, table)].map((line) => `  ${line}`).join(",\n")}\n)${of(options, table).join("")};`,
    ...of(indexes, table).map((line) => `${line};`),
    ...of(comments, table).map((line) => `${line};`),
  ]);
  return `-- What the migrations make, read back from the database by a test. Do not edit: change it with a migration, then run the test with -u.\n\n${statements.join("\n\n")}\n`;
}
