import { FlowRunError } from "@flow-run/spec";
import type { Database, Transaction } from "../database/index.ts";
import { prepareSchema } from "../prepare-schema.ts";
import { copyTable, fingerprint } from "./copy-table.ts";
import { listTables, type Table } from "./tables.ts";

export interface CopyProgress {
  table: string;
  rows: number;
}

/**
 * Fills an empty target with everything the source holds, in one transaction: it is there completely and compared, or nothing of it is. The source is
 * only read. Nobody else may use either. Throws code `target-not-empty`.
 */
export async function copyDatabase(
  source: Database,
  target: Database,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyProgress[]> {
  await prepareSchema(source);
  await prepareSchema(target);
  const unlimited = { timeoutMs: 0 };
  const copied = await source.transaction(
    (from) =>
      target.transaction(async (to) => {
        for (const tx of [from, to])
          await tx.exec("SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 1");
        const tables = await listTables(from);
        await refuseOtherShape(tables, await listTables(to));
        await refuseFilled(to, tables);
        await makePartitions(from, to);
        for (const table of tables.toReversed()) await to.exec(`DELETE FROM ${table.name}`);
        const done: CopyProgress[] = [];
        for (const table of tables) {
          const rows = await copyTable(from, to, table, (n) => onProgress({ table: table.name, rows: n }));
          await compare(from, to, table);
          done.push({ table: table.name, rows });
        }
        await copySequences(from, to);
        return done;
      }, unlimited),
    unlimited,
  );
  await target.exec("ANALYZE");
  return copied;
}

async function refuseOtherShape(source: Table[], target: Table[]): Promise<void> {
  const [ours, theirs] = [source, target].map((tables) => JSON.stringify(tables));
  if (ours !== theirs) throw new Error("The two databases have different tables after both were brought to the same version.");
}

/** Tables that a server fills by itself when it first starts; all others hold what users made. */
const FILLED_AT_START = ["pgboss.queue"];

async function refuseFilled(to: Transaction, tables: Table[]): Promise<void> {
  for (const table of tables.filter(({ name }) => !FILLED_AT_START.includes(name))) {
    const [filled] = await to.query(`SELECT 1 FROM ${table.name} LIMIT 1`);
    if (!filled) continue;
    throw new FlowRunError(
      "target-not-empty",
      `The target database already holds flow-run data (${table.name} has rows), and two installations cannot be merged. ` +
        "Give the URL of an empty database: createdb NAME. Nothing was changed.",
      { details: { table: table.name } },
    );
  }
}

/** A queue may have a table of its own, which has to exist before its jobs. */
async function makePartitions(from: Transaction, to: Transaction): Promise<void> {
  const queues = await from.query<{ name: string; policy: string }>("SELECT name, policy FROM pgboss.queue WHERE partition");
  for (const { name, policy } of queues) {
    await to.query("SELECT pgboss.create_queue($1, $2::jsonb)", [name, JSON.stringify({ policy, partition: true })]);
  }
}

async function compare(from: Transaction, to: Transaction, table: Table): Promise<void> {
  const [had, has] = [await fingerprint(from, table), await fingerprint(to, table)];
  if (had !== has) throw new Error(`${table.name} was not copied faithfully: ${had} became ${has}. Nothing was changed on either side.`);
}

async function copySequences(from: Transaction, to: Transaction): Promise<void> {
  const sequences = await from.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, sequencename) AS name FROM pg_sequences WHERE schemaname IN ('flow_run', 'pgboss')",
  );
  for (const { name } of sequences) {
    const [state] = await from.query<{ last: string; called: boolean }>(
      `SELECT last_value::text AS last, is_called AS called FROM ${name}`,
    );
    await to.query("SELECT setval($1::regclass, $2::int8, $3::bool)", [name, state?.last, state?.called]);
  }
}
