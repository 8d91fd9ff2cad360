import type { Transaction } from "../database/index.ts";

export interface Table {
  /** Quoted, with its schema. */
  name: string;
  /** Columns that are stored, in a fixed order. Generated ones are not among them. */
  columns: { name: string; type: string }[];
  /** Tables that must be filled before. */
  needs: string[];
}

/** What the schema's owners write by themselves when they set up or watch a database; it describes that database, not the installation. */
const OWN_BOOKKEEPING = ["flow_run.migration", "pgboss.version", "pgboss.bam", "pgboss.instance", "pgboss.queue_stats", "pgboss.warning"];

/** The tables that make up an installation, each after those that it references. Partitions are reached through their parents. */
export async function listTables(tx: Transaction): Promise<Table[]> {
  const rows = await tx.query<Table>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
            (SELECT json_agg(json_build_object('name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attname)
               FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
            (SELECT coalesce(json_agg(DISTINCT format('%I.%I', fn.nspname, fc.relname)), '[]')
               FROM pg_constraint f JOIN pg_class fc ON fc.oid = f.confrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace
              WHERE f.contype = 'f' AND f.confrelid <> f.conrelid
                AND (f.conrelid = c.oid OR f.conrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid))) AS needs
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('flow_run', 'pgboss') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND NOT (n.nspname || '.' || c.relname = ANY($1::text[]))
      ORDER BY 1`,
    [OWN_BOOKKEEPING],
  );
  return inOrder(rows);
}

function inOrder(tables: Table[]): Table[] {
  const ordered: Table[] = [];
  const left = new Set(tables);
  while (left.size > 0) {
    const ready = [...left].filter((table) =>
      table.needs.every((need) => ![...left].some((other) => other !== table && other.name === need)),
    );
    if (ready.length === 0) throw new Error(`Tables reference each other in a circle: ${[...left].map((table) => table.name).join(", ")}`);
    for (const table of ready) {
      ordered.push(table);
      left.delete(table);
    }
  }
  return ordered;
}
