import type { Database, PgliteSettings, PostgresSettings } from "./database/index.ts";

/** Connects to a PostgreSQL server; see `PostgresSettings`. Loads the driver only now. */
export async function openPostgres(settings: PostgresSettings): Promise<Database> {
  const database = await import("./database/index.ts");
  return database.openPostgres(settings);
}

/** Opens the embedded database of a directory; see `PgliteSettings`. Loads the driver only now. */
export async function openPglite(settings: PgliteSettings): Promise<Database> {
  const database = await import("./database/index.ts");
  return database.openPglite(settings);
}
