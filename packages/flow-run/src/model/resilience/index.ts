// Asking a model until it answers: retries, fallbacks, limits shared by all calls of a process, and JSON that fits its schema.
export {
  type CallModelHooks,
  type CallModelOptions,
  callModel,
  type EndedAttempt,
  type ModelTarget,
  type Reservation,
} from "./call-model.ts";
export { type GenerateStructuredOptions, generateStructured, type OutputProblem } from "./generate-structured.ts";
export type { HedgeSettings } from "./hedge.ts";
export type { ChangeState, LimitSettings, LimitStates } from "./limits/index.ts";
export { createModelLimits, type ModelLimits, type ModelLimitsOptions } from "./model-limits.ts";
