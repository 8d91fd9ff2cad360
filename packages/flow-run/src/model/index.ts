// Asking an LLM: one port, an adapter per vendor, the simulator, prices, and resilience (retry, fallback, limits).
// Knows no run and no database; what an attempt means for a run is told through hooks.
// Light to import: sockets, vendors' libraries and the price catalog are loaded where they are first used.
export { type CapturedRequest, captureRequest } from "./capture-request.ts";
export { createHttpAgent, type HttpAgentOptions } from "./http/http-agent.ts";
export { createHttpFetch, type HttpFetch, type HttpFetchOptions } from "./http/http-fetch.ts";
export * from "./model.ts";
export * from "./model-call-error.ts";
export * from "./pricing/index.ts";
export {
  type CreateProvidersOptions,
  createProviders,
  type ProviderDefinitionInput,
  type Providers,
} from "./providers/create-providers.ts";
export * from "./resilience/index.ts";
export * from "./simulator/index.ts";
