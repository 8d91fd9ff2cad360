import { randomUUID } from "node:crypto";
import { type Database, StoreUnavailableError } from "./database/index.ts";
import { checkedInput, keyReused } from "./group-commit/submitter.ts";
import { findSubmitted } from "./queries/find-submitted.ts";
import { readRunToReplay } from "./queries/read-run-to-replay.ts";
import { toQueuedRun } from "./queries/run-columns.ts";
import { submitReplay } from "./queries/submit-replay.ts";
import { submitRunsSql } from "./queries/submit-runs.ts";
import type { Replay, ReplayStore, RunToReplay } from "./replay-store.ts";
import type { SubmittedRun } from "./store.ts";

export interface DatabaseReplayStoreParts {
  database: Database;
  insertJobsSql: string;
  sender: string;
  /** Repeats what a lost connection broke off. */
  persist<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
  onQueued(count: number): void;
}

/** Replays over either database: each a transaction of its own, because they are rare and some copy much. */
export class DatabaseReplayStore implements ReplayStore {
  private readonly parts: DatabaseReplayStoreParts;
  private readonly submitSql: string;

  constructor(parts: DatabaseReplayStoreParts) {
    this.parts = parts;
    this.submitSql = submitRunsSql(parts.insertJobsSql);
  }

  async read(environment: string, id: string): Promise<RunToReplay | null> {
    return this.parts.persist(() => readRunToReplay(this.parts.database, environment, id));
  }

  async submit(replay: Replay): Promise<SubmittedRun> {
    const { database, sender, persist, onQueued } = this.parts;
    const { run, of, from } = replay;
    const submitted = { run, jobId: randomUUID(), input: checkedInput(run, replay.input) };
    // Repeated with the same id: what the first try committed stands there.
    const createdAt = await persist(() => submitReplay(database, this.submitSql, sender, submitted, replay));
    if (createdAt !== null) {
      onQueued(1);
      return { run: { ...toQueuedRun(run, createdAt), replayOf: { run: of, from } }, replayed: false };
    }
    const [standing] = await persist(() => findSubmitted(database, [run]));
    if (!standing) throw new StoreUnavailableError("Another request with this idempotency key was just withdrawn. Try again.");
    if (standing.fingerprint !== run.fingerprint) throw keyReused();
    return { run: standing.run, replayed: standing.run.id !== run.id };
  }
}
