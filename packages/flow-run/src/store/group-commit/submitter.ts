import { randomUUID } from "node:crypto";
import { FlowRunError, type Json } from "@flow-run/spec";
import { type Database, StoreUnavailableError } from "../database/index.ts";
import { findSubmitted } from "../queries/find-submitted.ts";
import { toQueuedRun } from "../queries/run-columns.ts";
import { type RunToSubmit, submitRuns, submitRunsSql } from "../queries/submit-runs.ts";
import { writeJobClaim } from "../queue/job-claim.ts";
import type { RunTaker } from "../run-taker.ts";
import { isStorable } from "../storable-json.ts";
import type { ClaimedRun, NewRun, SubmittedRun } from "../store.ts";
import { Batcher } from "./batcher.ts";
import { notStorable, type Patience, writeAll } from "./write-all.ts";

export interface SubmitterOptions {
  database: Database;
  insertJobsSql: string;
  sender: string;
  signal: AbortSignal;
  /** How long a submit may wait for a database that is away. */
  giveUpAfterMs: number;
  /** The worker of this process that takes runs with their submit, if there is one. */
  taker(): RunTaker | null;
  /** Called before the `submit` of new runs resolves, so that a worker of this process asks for the queued ones while the answers are written. */
  onAccepted(count: { queued: number; taken: number }): void;
}

const MOST_RUNS = 500;
const MOST_CHARACTERS = 4_000_000;

/** Accepts runs: the run, its job and the wake-up of workers are one statement for all runs of a moment. */
export class Submitter {
  private readonly options: SubmitterOptions;
  private readonly sql: string;
  private readonly patience: Patience;
  private readonly batcher: Batcher<RunToSubmit, SubmittedRun>;

  constructor(options: SubmitterOptions) {
    this.options = options;
    this.sql = submitRunsSql(options.insertJobsSql);
    this.patience = { signal: options.signal, giveUpAfterMs: options.giveUpAfterMs };
    this.batcher = new Batcher({
      write: (runs) => this.write(runs),
      maxItems: MOST_RUNS,
      maxWeight: MOST_CHARACTERS,
      weigh: ({ input }) => 200 + input.length,
    });
  }

  async submit(run: NewRun): Promise<SubmittedRun> {
    return this.batcher.add({ run, jobId: randomUUID(), input: checkedInput(run) });
  }

  drain(): Promise<void> {
    return this.batcher.drain();
  }

  private async write(runs: readonly RunToSubmit[]): Promise<readonly (SubmittedRun | Error)[]> {
    const taker = this.options.taker();
    const reserved = taker?.reserve(runs.length) ?? 0;
    const taken: ClaimedRun[] = [];
    let queued = 0;
    try {
      return await writeAll(
        runs,
        async (some) => {
          const answer = await this.writeOnce(some, reserved - taken.length);
          taken.push(...answer.taken);
          queued += answer.queued;
          return answer.submitted;
        },
        this.patience,
      );
    } finally {
      taker?.take(taken, reserved);
      if (queued + taken.length > 0) this.options.onAccepted({ queued, taken: taken.length });
    }
  }

  private async writeOnce(
    runs: readonly RunToSubmit[],
    take: number,
  ): Promise<{ submitted: (SubmittedRun | Error)[]; queued: number; taken: ClaimedRun[] }> {
    // In one order in all processes: whoever waits for another's key must not be waited for.
    const sorted = runs.toSorted(
      (a, b) => compare(a.run.environment, b.run.environment) || compare(a.run.idempotencyKey ?? "", b.run.idempotencyKey ?? ""),
    );
    const created = await submitRuns(this.options.database, this.sql, this.options.sender, sorted, take);
    const standing = runs.filter(({ run }) => !created.has(run.id)).map(({ run }) => run);
    const found = standing.length === 0 ? [] : await findSubmitted(this.options.database, standing);
    const foundFor = new Map(standing.map((run, index) => [run, found[index]]));
    const submitted = runs.map(({ run }) => {
      const row = created.get(run.id);
      if (row) return { run: toQueuedRun(run, row.createdAt), replayed: false };
      const existing = foundFor.get(run);
      if (!existing) return new StoreUnavailableError("Another request with this idempotency key was just withdrawn. Try again.");
      if (existing.fingerprint !== run.fingerprint) return keyReused();
      return { run: existing.run, replayed: existing.run.id !== run.id };
    });
    const taken = runs.flatMap((submitted) => {
      const row = created.get(submitted.run.id);
      return row?.taken ? [takenRun(submitted, row.createdAt)] : [];
    });
    return { submitted, queued: created.size - taken.length, taken };
  }
}

/** As the first claim of a run would return it. */
function takenRun({ run, jobId }: RunToSubmit, createdAt: Date): ClaimedRun {
  const { id, environment, flow, kind, release, input } = run;
  const atMs = createdAt.getTime();
  return {
    id,
    jobId: writeJobClaim({ id: jobId, retryCount: 0 }),
    epoch: 1,
    environment,
    flow,
    kind,
    release,
    input,
    createdAtMs: atMs,
    startedAtMs: atMs,
    elapsedMs: 0,
    spent: { costNanoUsd: 0, tokens: 0 },
    suspect: false,
    steps: [],
    recordedSize: 0,
    attempts: {},
    spentBySteps: {},
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The run's input as JSON text. `more`: what else of the request is stored. Throws code `not-storable`. */
export function checkedInput(run: NewRun, more: Json = null): string {
  let input: string;
  try {
    input = JSON.stringify(run.input);
    if (!isStorable(run.input, input) || !isStorable([run.id, run.environment, run.flow, run.idempotencyKey, ...run.tags, more])) {
      throw new FlowRunError(
        "not-storable",
        "The request contains U+0000 or half of a surrogate pair, which no database can store. Remove it.",
      );
    }
  } catch (error) {
    throw FlowRunError.isInstance(error) ? error : notStorable(error);
  }
  return input;
}

export function keyReused(): FlowRunError {
  return new FlowRunError(
    "idempotency-key-reused",
    "This idempotency key was used before with another request. Use a new key for a new request, or repeat the first one exactly.",
  );
}
