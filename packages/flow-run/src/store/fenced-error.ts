import { FlowRunError } from "@flow-run/spec";

/** Another owner has the run, or it has ended: whoever gets this must stop working on it at once. Ends of attempts are booked all the same. */
export class FencedError extends FlowRunError {
  constructor(runId: string) {
    super("fenced", `Run ${runId} is no longer ours: another worker took it over, or it was cancelled. Stop working on it.`);
  }
}
