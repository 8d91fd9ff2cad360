import { FlowRunError } from "@flow-run/spec";
import type { Database } from "../database.ts";

/** Refuses a server that answers "committed" before the commit is safe: after its crash, accepted runs would be gone. */
export async function assertDurable(database: Pick<Database, "query">): Promise<void> {
  const rows = await database.query<{ name: string; setting: string }>(
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') AND setting = 'off'",
  );
  if (rows.length === 0) return;
  const names = rows.map((row) => row.name).join(", ");
  throw new FlowRunError(
    "database-not-durable",
    `The PostgreSQL server has ${names} set to off: a crash of the server can lose runs that were already accepted. ` +
      "Set it to on in postgresql.conf, or for this database or role, and start again.",
    { details: { settings: names } },
  );
}
