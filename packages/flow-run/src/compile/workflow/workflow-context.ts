import type { Json, JsonSchema } from "@flow-run/spec";
import type { Node } from "yaml";
import type { Type } from "../expression/type.ts";
import type { Validation } from "../schema/index.ts";
import type { SourceReport } from "./source-report.ts";

/** What a call is checked against. */
export interface FlowTypes {
  /** In write mode; any when the flow declares none. */
  input: Type;
  output: Type;
}

/** What the compilation of one workflow works with. */
export interface WorkflowContext {
  report: SourceReport;
  /** The flow of that name; reports it at `at` when there is none or when calling it closes a circle. */
  flow(name: string, at: Node): FlowTypes;
  /** A schema notation as JSON Schema; what is wrong with it is reported. */
  schema(notation: Node): JsonSchema;
  /** Checks a value that is known already, and fills in its schema's defaults. */
  validate(schema: JsonSchema, value: Json): Validation;
  /** Takes down names read as `vars.NAME` and `secrets.NAME`. */
  collect(vars: readonly string[], secrets: readonly string[]): void;
}
