// The durable memory: one port over PostgreSQL, embedded (PGlite in a worker thread) or a server. SQL lives here and nowhere else.
export * from "./journal.ts";
export * from "./memory-journal.ts";
export * from "./store.ts";
