import type { RunError } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { persist } from "../group-commit/write-all.ts";
import { CLAIMS_WITHOUT_PROGRESS, claimRuns, claimRunsSql } from "../queries/claim-runs.ts";
import { recoverRuns } from "../queries/recover-runs.ts";
import type { ClaimedRun } from "../store.ts";
import { writeJobClaim } from "./job-claim.ts";
import type { RunQueue } from "./run-queue.ts";

export interface ClaimerOptions {
  database: Database;
  queue: RunQueue;
  sender: string;
  signal: AbortSignal;
  onEnded(runIds: readonly string[]): void;
  /** A job that has nothing to execute any more. */
  onFinishedJob(jobId: string): void;
}

const POISONED: RunError = {
  code: "poisoned",
  message:
    `The run was started ${CLAIMS_WITHOUT_PROGRESS} times without finishing a single step, so it is not tried again. Look in the servers' logs for what ended them ` +
    "at those times (out of memory is the usual reason), then start the run again.",
  step: null,
  retryable: false,
};

/** How long to keep trying to read what a claimed run already did, before its lease runs out and somebody else takes it. */
const RECOVERY_PATIENCE_MS = 5_000;

/** Takes runs from the queue. */
export class Claimer {
  private readonly options: ClaimerOptions;
  private readonly sql: string;

  constructor(options: ClaimerOptions) {
    this.options = options;
    this.sql = claimRunsSql(options.queue.fetchJobsSql);
  }

  async claim(limit: number): Promise<ClaimedRun[]> {
    const { database, sender, signal } = this.options;
    if (limit < 1) return [];
    const rows = await claimRuns(database, this.sql, sender, limit, { ...POISONED });
    const again = rows.flatMap(({ run }) => (run && run.epoch > 1 ? [run.id] : []));
    const recorded = await persist(() => recoverRuns(database, again), { signal, giveUpAfterMs: RECOVERY_PATIENCE_MS });
    const claimed: ClaimedRun[] = [];
    const ended: string[] = [];
    for (const { job_id, retry_count, run } of rows) {
      if (!run || run.poisoned) this.options.onFinishedJob(job_id);
      if (!run) continue;
      const { poisoned, ...rest } = run;
      if (poisoned) ended.push(run.id);
      else {
        const known = recorded.get(run.id) ?? { steps: [], attempts: {} };
        claimed.push({ ...rest, ...known, jobId: writeJobClaim({ id: job_id, retryCount: retry_count }) });
      }
    }
    if (ended.length > 0) setImmediate(() => this.options.onEnded(ended));
    return claimed;
  }
}
