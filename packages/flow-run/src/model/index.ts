// Asking an LLM: one port, an adapter per vendor, the simulator, prices, and resilience (retry, fallback, limits).
// Knows no run and no database; what an attempt means for a run is told through hooks.
export * from "./model.ts";
