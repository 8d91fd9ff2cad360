import { FlowRunError } from "@flow-run/spec";
import { EXIT } from "./exit-code.ts";

/** The command was right; what it asked for cannot be. */
const REFUSED = new Set(["not-cancellable", "gate-failed", "stale-plan"]);

/** The one mapping from errors to exit codes. Errors that are not FlowRunErrors are defects and shown with their stack. */
export function exitCodeOf(error: unknown): number {
  if (!FlowRunError.isInstance(error)) return 70;
  if (error.code === "data-dir-locked") return EXIT.busy;
  if (REFUSED.has(error.code)) return EXIT.failed;
  return EXIT.wrong;
}
