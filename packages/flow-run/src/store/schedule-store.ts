import type { Json } from "@flow-run/spec";

/** A schedule of a workflow in the current release of an environment. */
export interface StoredSchedule {
  environment: string;
  flow: string;
  /** The current release. */
  release: number;
  cron: string;
  timezone: string;
  input: Json;
  /** Epoch milliseconds, as the database counts them. Ticks up to here have had their run, or get none. */
  tickedUntilMs: number;
}

export interface Tick {
  schedule: StoredSchedule;
  atMs: number;
}

/** What is started when. Deploying replaces the schedules of an environment in the transaction that makes the release current. */
export interface ScheduleStore {
  /** All schedules, and what time it is: the database's clock, by which ticks are due. null when there are none. */
  read(): Promise<{ nowMs: number; schedules: StoredSchedule[] } | null>;
  /** Takes down that these ticks have had their runs, and that those before them get none. Any number of processes may say the same. */
  markTicked(ticks: readonly Tick[]): Promise<void>;
  /** Calls back when schedules may be others than before, here or by another process. */
  onChanged(callback: () => void): () => void;
}
