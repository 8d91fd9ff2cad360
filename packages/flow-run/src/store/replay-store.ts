import type { Json, Run } from "@flow-run/spec";
import type { NewRun, SubmittedRun } from "./store.ts";

/** A run as whoever replays it must know it, without the contents of its steps. */
export interface RunToReplay {
  run: Run;
  priority: number;
  webhook: { url: string; includeOutput: boolean } | null;
  steps: { path: string; status: "succeeded" | "failed" | "skipped" }[];
  /** Paths of steps that were begun and not recorded, as far as they left traces: calls of models, waits. */
  underWay: string[];
}

/** A new run that goes on with what another has recorded. */
export interface Replay {
  run: NewRun;
  /** The run that is replayed. */
  of: string;
  /** null: from the beginning. */
  from: string | null;
  /** In place of the evaluated input of the step `from`; undefined: as evaluated. */
  input?: Json;
  /** Paths of recorded steps of the other run. */
  copied: readonly string[];
}

/** Replaying runs. */
export interface ReplayStore {
  /** null for an unknown run. */
  read(environment: string, id: string): Promise<RunToReplay | null>;
  /**
   * Commits the run, its job and its copies of recorded steps together. As `submitRun` otherwise. Throws code `not-replayable` when steps that were to be
   * copied are gone.
   */
  submit(replay: Replay): Promise<SubmittedRun>;
}
