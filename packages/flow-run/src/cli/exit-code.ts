import { FlowRunError } from "@flow-run/spec";

/** What a command returns to the shell. */
export const EXIT = {
  fine: 0,
  /** The thing asked about failed: a run, a test, a gate. */
  failed: 1,
  /** The command or the project is wrong, or the server cannot be reached. */
  wrong: 2,
  /** Another process holds the embedded database (EX_TEMPFAIL). */
  busy: 75,
} as const;

/** The one mapping from errors to exit codes. Errors that are not FlowRunErrors are defects and shown with their stack. */
export function exitCodeOf(error: unknown): number {
  if (!FlowRunError.isInstance(error)) return 70;
  if (error.code === "data-dir-locked") return EXIT.busy;
  return EXIT.wrong;
}
