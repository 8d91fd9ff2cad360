import type { RunError, RunStatus } from "@flow-run/spec";

interface OfRun {
  runId: string;
  flow: string;
  atMs: number;
}

/** What the engine tells the rest of the house. Facts only: listeners log, count, stream or draw. */
export type EngineEvent =
  | (OfRun & { type: "run-started"; resumed: boolean })
  | (OfRun & { type: "step-started"; path: string; kind: string })
  | (OfRun & {
      type: "step-finished";
      path: string;
      kind: string;
      status: "succeeded" | "failed" | "skipped";
      seq: number;
      error: RunError | null;
      durationMs: number;
    })
  /** `attempt`: the number of the attempt at the step that writes; `offset`: UTF-16 code units of its text before this. */
  | (OfRun & { type: "text-delta"; path: string; attempt: number; offset: number; text: string })
  /** The text so far is void; the attempt of this number begins. */
  | (OfRun & { type: "text-restarted"; path: string; attempt: number })
  | (OfRun & { type: "attempt-started"; path: string; number: number; provider: string; model: string })
  | (OfRun & {
      type: "attempt-ended";
      path: string;
      number: number;
      provider: string;
      model: string;
      errorCode: string | null;
      costNanoUsd: number | null;
      durationMs: number;
    })
  | (OfRun & {
      type: "run-finished";
      status: Extract<RunStatus, "succeeded" | "failed" | "cancelled">;
      error: RunError | null;
      durationMs: number;
    })
  /** Nothing is left to do but to wait; the run has left this worker and goes on, here or elsewhere, when it is woken. */
  | (OfRun & { type: "run-waiting"; paths: readonly string[] })
  /** This worker may no longer write to the run; somebody else owns it or it has ended. */
  | (OfRun & { type: "run-lost" })
  /** A defect of the engine: the run was failed, the error is for the log. */
  | (OfRun & { type: "engine-defect"; error: unknown });
