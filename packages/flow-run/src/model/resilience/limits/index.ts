// Requests and tokens a minute, and requests at once: one line of waiters over all processes that share a limit.
export { type LimitSettings, limitsAnything } from "./limit-settings.ts";
export { type ChangeState, type LimitStates, MemoryLimitStates } from "./limit-states.ts";
export { type AppliedLimit, Limiter, type Pass } from "./limiter.ts";
