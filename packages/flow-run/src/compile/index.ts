// Definitions become a frozen bundle here: references, expression types, schemas, content hashes. Pure: no I/O, no clock.
export * from "./bundle.ts";
export { compileProject } from "./compile-project.ts";
export { calledFlows, hashBundle, hashJson } from "./content-hash.ts";
export { type PreparedValue, prepareCondition, prepareList, prepareValue } from "./expression/evaluate.ts";
export type { ExpressionScope } from "./expression/evaluation.ts";
export { ExpressionError, type ExpressionErrorCode } from "./expression/expression-error.ts";
export { showSchema } from "./expression/show-schema.ts";
export { withModelOverrides } from "./model-overrides.ts";
export * from "./prompt/index.ts";
export { resolveModel } from "./resolve-model.ts";
export * from "./schedule/index.ts";
export * from "./schema/index.ts";
export { secretNames } from "./secret-names.ts";
export { type CompiledWorkflows, compileWorkflows, type WorkflowsToCompile } from "./workflow/compile-workflows.ts";
export type { FlowSignature } from "./workflow/flow-signature.ts";
