// Definitions become a frozen bundle here: references, expression types, schemas, content hashes. Pure: no I/O, no clock.
export * from "./bundle.ts";
export * from "./prompt/index.ts";
export * from "./schema/index.ts";
export type { ExpressionScope } from "./expression/evaluation.ts";
export { type PreparedValue, prepareCondition, prepareList, prepareValue } from "./expression/evaluate.ts";
export { ExpressionError, type ExpressionErrorCode } from "./expression/expression-error.ts";
