import type { Database } from "../database/index.ts";
import { FencedError } from "../fenced-error.ts";
import { type RunProgress, recordProgress } from "../queries/record-progress.ts";
import { Batcher } from "./batcher.ts";
import { type Patience, writeAll } from "./write-all.ts";

interface Entry {
  progress: RunProgress;
  /** Only the bills of an entry that could not be stored. */
  salvage: boolean;
}

export interface RecorderOptions {
  database: Database;
  sender: string;
  signal: AbortSignal;
  /** Runs whose end was recorded, after their `record` has resolved. */
  onEnded(runIds: readonly string[]): void;
  onTrouble(error: unknown, doing: string): void;
}

/** Batches on their way at once: while a server flushes one, it can work on the next. The embedded database does one thing at a time. */
const SERVER_LANES = 2;
const MOST_ENTRIES = 250;
const MOST_CHARACTERS = 4_000_000;

/** The journals of all runs of this process, gathered into one statement. Keeps trying while the database is away: what was paid for is not given up. */
export class Recorder {
  private readonly options: RecorderOptions;
  private readonly patience: Patience;
  private readonly lanes: Batcher<Entry, boolean>[];

  constructor(options: RecorderOptions) {
    this.options = options;
    const onRetry = (error: unknown) => options.onTrouble(error, "recording progress");
    this.patience = { signal: options.signal, giveUpAfterMs: Number.POSITIVE_INFINITY, onRetry };
    this.lanes = Array.from({ length: options.database.kind === "postgres" ? SERVER_LANES : 1 }, () => {
      const write = (entries: readonly Entry[]) => this.write(entries);
      return new Batcher({ write, maxItems: MOST_ENTRIES, maxWeight: MOST_CHARACTERS, weigh });
    });
  }

  /** Rejects with `FencedError` when the run has another owner or has ended; ends of attempts are booked all the same. */
  async record(progress: RunProgress): Promise<void> {
    if (!(await this.laneOf(progress.runId).add({ progress, salvage: false }))) throw new FencedError(progress.runId);
  }

  async drain(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.drain()));
  }

  /** Always the same for one run, so that its commits stay in order. */
  private laneOf(runId: string): Batcher<Entry, boolean> {
    return this.lanes[runId.charCodeAt(runId.length - 1) % this.lanes.length] as Batcher<Entry, boolean>;
  }

  private async write(entries: readonly Entry[]): Promise<readonly (boolean | Error)[]> {
    const answers = await writeAll(entries, (some) => this.writeOnce(some), this.patience);
    const ended: string[] = [];
    for (const [index, { progress, salvage }] of entries.entries()) {
      const answer = answers[index];
      if (answer === true && progress.end) ended.push(progress.runId);
      if (answer instanceof Error) this.salvageBills(progress, salvage, answer);
    }
    // Whoever awaits the commit knows first, then those who only watch.
    if (ended.length > 0) setImmediate(() => this.options.onEnded(ended));
    return answers;
  }

  private async writeOnce(entries: readonly Entry[]): Promise<boolean[]> {
    const held = new Map<RunProgress, boolean>();
    const owners = mergeByOwner(entries.map((entry) => entry.progress));
    for (let rest = owners; rest.length > 0; ) {
      // Two owners of one run in one process: one statement may change a run's row only once.
      const { round, later } = onePerRun(rest);
      const answers = await recordProgress(
        this.options.database,
        this.options.sender,
        round.map((owner) => owner.progress),
      );
      for (const [index, owner] of round.entries()) for (const part of owner.parts) held.set(part, answers[index] === true);
      rest = later;
    }
    return entries.map((entry) => held.get(entry.progress) === true);
  }

  private salvageBills(progress: RunProgress, salvage: boolean, reason: Error): void {
    if (progress.attemptEnds.length === 0) return;
    if (salvage) {
      this.options.onTrouble(reason, `booking the calls of run ${progress.runId}`);
      return;
    }
    const attemptEnds = progress.attemptEnds.map((end) => ({ ...end, rawUsage: null, error: null }));
    const bills: RunProgress = { ...progress, steps: [], attemptStarts: [], attemptEnds, end: null };
    this.laneOf(progress.runId)
      .add({ progress: bills, salvage: true })
      .catch(() => {}); // has been reported
  }
}

interface Owner {
  progress: RunProgress;
  parts: RunProgress[];
}

function mergeByOwner(parts: readonly RunProgress[]): Owner[] {
  const owners = new Map<string, Owner>();
  for (const part of parts) {
    const key = `${part.epoch} ${part.runId}`;
    const owner = owners.get(key);
    if (!owner) {
      owners.set(key, { progress: part, parts: [part] });
      continue;
    }
    owner.parts.push(part);
    owner.progress = {
      ...part,
      steps: [...owner.progress.steps, ...part.steps],
      attemptStarts: [...owner.progress.attemptStarts, ...part.attemptStarts],
      attemptEnds: [...owner.progress.attemptEnds, ...part.attemptEnds],
      end: owner.progress.end ?? part.end,
    };
  }
  return [...owners.values()];
}

function onePerRun(owners: readonly Owner[]): { round: Owner[]; later: Owner[] } {
  const seen = new Set<string>();
  const round: Owner[] = [];
  const later: Owner[] = [];
  for (const owner of owners) {
    (seen.has(owner.progress.runId) ? later : round).push(owner);
    seen.add(owner.progress.runId);
  }
  return { round, later };
}

function weigh({ progress }: Entry): number {
  let weight = 200 + (progress.end?.output?.length ?? 0);
  for (const step of progress.steps) weight += (step.input?.length ?? 0) + (step.output?.length ?? 0);
  for (const attempt of progress.attemptEnds) weight += attempt.rawUsage?.length ?? 0;
  return weight;
}
