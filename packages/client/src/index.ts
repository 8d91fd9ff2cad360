// A typed client of a flow-run server over HTTP, for Node, browsers and edge runtimes: nothing but fetch. The types are the wire contract's own.
export { ApiError, type ApiErrorOptions } from "./api-error.ts";
export { type Client, createClient } from "./create-client.ts";
export type { ClientOptions } from "./transport.ts";
