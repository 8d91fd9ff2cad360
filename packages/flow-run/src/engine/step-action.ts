import type { Json } from "@flow-run/spec";
import type { Scope } from "./loaded-release.ts";
import type { FlowPlace, RunContext } from "./run-context.ts";

/** What a step of one kind does. Everything around it (if, forEach, repeat, timeout, retries, onError, recording) is the same for all kinds. */
export interface StepAction {
  /** What the step is called in the journal. */
  kind(context: RunContext): string;
  /** Of one try when the step names no timeout. Default: none. */
  timeoutMs?: number;
  /** The step is on record before anything else happens: what it did elsewhere is not for free. Default: with the next commit. */
  recordsAtOnce?: boolean;
  /** The step's input as the journal keeps it. Evaluated once a turn; never holds a secret. Throws ExpressionError. */
  input(scope: Scope): Json;
  /** Does it, perhaps several times when tries fail. Throws FlowRunError. */
  perform(context: RunContext, turn: { scope: Scope; input: Json; place: FlowPlace }, signal: AbortSignal): Promise<Json>;
}
