import { FlowRunError } from "@flow-run/spec";
import { EXIT } from "./exit-code.ts";

/** The one mapping from errors to exit codes. Errors that are not FlowRunErrors are defects and shown with their stack. */
export function exitCodeOf(error: unknown): number {
  if (!FlowRunError.isInstance(error)) return 70;
  if (error.code === "data-dir-locked") return EXIT.busy;
  return EXIT.wrong;
}
