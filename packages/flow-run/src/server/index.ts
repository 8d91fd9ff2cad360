// The HTTP server: the routes of the wire contract over a store, with who may call them, what they refuse, and how they shut down.
// Executes nothing: runs are accepted here and worked off elsewhere, in this process or another.

export { createApiKeySecret, hashApiKey } from "./api-key-secret.ts";
export { type App, type AppOptions, createApp } from "./app.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export { linkProcesses } from "./live/link-processes.ts";
export { LiveEventHub, type LiveEvents } from "./live/live-event-hub.ts";
export { createLogger, type Logger } from "./log.ts";
export { createRunIds } from "./run-id.ts";
