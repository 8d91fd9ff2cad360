import { FlowRunError } from "@flow-run/spec";
import type { Database } from "../database.ts";
import { assertDurable } from "./assert-durable.ts";
import { PostgresDatabase } from "./postgres-database.ts";
import type { PostgresSettings } from "./settings.ts";

/** SQLSTATEs of a connection string that will not work before somebody changes it: login, database, a pooler that refuses settings. */
const REFUSED = /^(28|3D|08P01)/;

/** Connects, and refuses a server that does not keep what it has committed (code `database-not-durable`) or does not let us in (`database-refused`). */
export async function openPostgres(settings: PostgresSettings): Promise<Database> {
  const database = new PostgresDatabase(settings);
  try {
    if (settings.allowUnsafeDurability) await database.query("SELECT 1");
    else await assertDurable(database);
    return database;
  } catch (error) {
    await database.close();
    const code = (error as { code?: unknown }).code;
    if (!FlowRunError.isInstance(error) && typeof code === "string" && REFUSED.test(code)) {
      throw new FlowRunError(
        "database-refused",
        `PostgreSQL refuses the connection: ${(error as Error).message}. Check DATABASE_URL; it must lead to the server itself, not to a transaction pooler.`,
        { cause: error },
      );
    }
    throw error;
  }
}
