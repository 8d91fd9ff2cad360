// The database port and its two adapters: PostgreSQL on a server, and PGlite embedded in a worker thread. Both speak PostgreSQL's wire protocol
// through the same driver, so that SQL, values and errors cannot differ.
export * from "./database.ts";
export { openPglite, type PgliteSettings } from "./pglite/open-pglite.ts";
export { openPostgres } from "./postgres/open-postgres.ts";
export type { PostgresSettings } from "./postgres/settings.ts";
export { StoreUnavailableError } from "./store-unavailable-error.ts";
