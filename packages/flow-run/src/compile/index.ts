// Definitions become a frozen bundle here: references, expression types, schemas, content hashes. Pure: no I/O, no clock.
export * from "./bundle.ts";
export * from "./prompt/index.ts";
export * from "./schema/index.ts";
