// The durable memory: one port over PostgreSQL, embedded (PGlite in a worker thread) or a server. SQL lives here and nowhere else.
// Drivers and the queue are loaded when a database is opened, not with this file.

export type { CostQuestion, CostStore } from "./cost-store.ts";
export type { Database, PgliteSettings, PostgresSettings } from "./database/index.ts";
export { StoreUnavailableError } from "./database/store-unavailable-error.ts";
export * from "./feedback-store.ts";
export { FencedError } from "./fenced-error.ts";
export { FileResponseCache } from "./file-response-cache.ts";
export * from "./journal.ts";
export * from "./memory-journal.ts";
export { type MigrateToOptions, type MovedInstallation, migrateTo } from "./migrate-to/index.ts";
export { openPglite, openPostgres } from "./open-database.ts";
export { openStore, type StoreOptions } from "./open-store.ts";
export { LONGEST_MESSAGE_BYTES, type Peers } from "./peers.ts";
export * from "./replay-store.ts";
export * from "./response-cache.ts";
export type { Prunable, PrunedPage, RetentionStore } from "./retention-store.ts";
export type { RunTaker } from "./run-taker.ts";
export * from "./schedule-store.ts";
export { DatabaseSharedLimits, type SharedLimits } from "./shared-limits.ts";
export * from "./store.ts";
export * from "./webhook-store.ts";
