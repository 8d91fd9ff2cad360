// The words that every other room shares: definition schemas, the wire contract, diagnostics and the error base.
// Pure: no I/O, no clock.
export * from "./diagnostic.ts";
export * from "./flow-run-error.ts";
export * from "./json.ts";
export * from "./source/definition.ts";
export * from "./wire/run.ts";
