import type { JsonSchema } from "@flow-run/spec";

/** What a workflow needs to know of a flow that it calls. */
export interface FlowSignature {
  /** Absent: any input is accepted. */
  input?: JsonSchema;
  /** A text task's is `{ type: "string" }`. */
  output: JsonSchema;
}
