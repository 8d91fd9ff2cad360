// Asking a model until it answers: retries, fallbacks, limits shared by all calls of a process, and JSON that fits its schema.
export { type CallModelHooks, type CallModelOptions, callModel, type EndedAttempt, type ModelTarget } from "./call-model.ts";
export { type GenerateStructuredOptions, generateStructured, type OutputProblem } from "./generate-structured.ts";
export { createModelLimits, type LimitSettings, type ModelLimits } from "./model-limits.ts";
