import type { RunError } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { persist } from "../group-commit/write-all.ts";
import { CLAIMS_WITHOUT_PROGRESS, type ClaimRow, claimRuns, claimRunsSql } from "../queries/claim-runs.ts";
import { recoverRuns } from "../queries/recover-runs.ts";
import { setAside } from "../queries/set-aside.ts";
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
  /** A claim took far longer than it should. */
  onSlow(): void;
  onTrouble(error: unknown, doing: string): void;
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

/** A claim takes some milliseconds. */
const SLOW_MS = 250;

/** One of so many claimed runs is the one that has waited longest, whatever its priority. */
const AGED_SHARE = 10;

/** Takes runs from the queue, and from the lines of limited flows. */
export class Claimer {
  private readonly options: ClaimerOptions;
  private readonly sql: string;
  private readonly sqlWithLines: string;
  private runsInLine = false;
  private sinceAged = 0;

  constructor(options: ClaimerOptions) {
    this.options = options;
    this.sql = claimRunsSql(options.queue.fetchSql, { lines: false });
    this.sqlWithLines = claimRunsSql(options.queue.fetchSql, { lines: true });
  }

  /** Runs stood in line when it was last looked: a slot that is given back is a reason to look again. */
  get heldBack(): boolean {
    return this.runsInLine;
  }

  /** Up to `limit` runs, of which `suspects` at most may be such as have been claimed without progress before. */
  async claim(limit: number, suspects: number): Promise<ClaimedRun[]> {
    const claimed: ClaimedRun[] = [];
    for (let left = limit, more = true; left > 0 && more; ) {
      const lines = this.runsInLine;
      const agedShare = Math.floor((this.sinceAged + left) / AGED_SHARE);
      const rows = await this.fetch({ limit: left, suspects, agedShare, lines }).catch((error) => {
        if (claimed.length === 0) throw error;
        this.options.onTrouble(error, "taking more runs from the queue");
        return [];
      });
      const taken = await this.sort(rows);
      claimed.push(...taken);
      this.sinceAged = (this.sinceAged + taken.length) % AGED_SHARE;
      suspects -= taken.filter((run) => run.suspect).length;
      left -= taken.length;
      // What was fetched for nothing, or a line that was not known of, leaves room.
      more = rows.length > taken.length || (this.runsInLine && !lines);
    }
    return claimed;
  }

  private async fetch(claim: { limit: number; suspects: number; agedShare: number; lines: boolean }): Promise<ClaimRow[]> {
    const { database, sender } = this.options;
    const begunAt = performance.now();
    const { rows, inLine } = await claimRuns(database, claim.lines ? this.sqlWithLines : this.sql, sender, { ...POISONED }, claim).finally(
      () => {
        if (performance.now() > begunAt + SLOW_MS) this.options.onSlow();
      },
    );
    const aside = rows.flatMap(({ job_id, retry_count, aside: why }) => (why ? [{ jobId: job_id, retryCount: retry_count, why }] : []));
    // What is not set aside is handed out again when its lease is over.
    if (aside.length > 0) await setAside(database, aside).catch((error) => this.options.onTrouble(error, "setting jobs aside"));
    this.runsInLine = inLine || aside.some(({ why }) => why === "line");
    return rows;
  }

  private async sort(rows: readonly ClaimRow[]): Promise<ClaimedRun[]> {
    const { database, signal } = this.options;
    const again = rows.flatMap(({ run }) => (run && run.epoch > 1 ? [run.id] : []));
    const recorded = await persist(() => recoverRuns(database, again), { signal, giveUpAfterMs: RECOVERY_PATIENCE_MS });
    const claimed: ClaimedRun[] = [];
    const ended: string[] = [];
    for (const { job_id, retry_count, aside, run } of rows) {
      if (aside) continue;
      if (!run || run.poisoned) this.options.onFinishedJob(job_id);
      if (!run) continue;
      const { poisoned, ...rest } = run;
      if (poisoned) ended.push(run.id);
      else {
        const known = recorded.get(run.id) ?? { steps: [], recordedSize: 0, attempts: {}, spentBySteps: {} };
        claimed.push({ ...rest, ...known, jobId: writeJobClaim({ id: job_id, retryCount: retry_count }) });
      }
    }
    if (ended.length > 0) setImmediate(() => this.options.onEnded(ended));
    return claimed;
  }
}
