import { FlowRunError } from "@flow-run/spec";

/** Why an execution stops before its run has ended. */
export type InterruptionReason = "fenced" | "cancelled" | "released" | "deadline" | "too-many-steps" | "journal-too-large" | "waiting";

/** Stops an execution from outside. Not a failure of a step: no `onError`, no retry, nothing recorded. */
export class Interruption extends FlowRunError {
  readonly reason: InterruptionReason;

  constructor(reason: InterruptionReason, message: string) {
    super(reason, message);
    this.reason = reason;
  }
}

/** True when a step must not handle the error: the execution itself is being stopped, or the run has another owner. */
export function isInterruption(error: unknown, signal: AbortSignal): boolean {
  return stopsExecution(error) || signal.aborted;
}

/** True for what ends the whole execution, and not only a step that others may rescue. */
export function stopsExecution(error: unknown): boolean {
  if (error instanceof Interruption) return true;
  return FlowRunError.isInstance(error) && (error.code === "fenced" || error.code === "database-unavailable");
}
