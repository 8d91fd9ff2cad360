import { Callbacks } from "./callbacks.ts";
import type { Database } from "./database/index.ts";
import { markTicked } from "./queries/mark-ticked.ts";
import { readSchedules } from "./queries/read-schedules.ts";
import type { ScheduleStore, StoredSchedule, Tick } from "./schedule-store.ts";

export interface DatabaseScheduleStoreParts {
  database: Database;
  /** Repeats what a lost connection broke off. */
  persist<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
  onTrouble(error: unknown, doing: string): void;
}

/** Schedules over either database: each call is one statement. */
export class DatabaseScheduleStore implements ScheduleStore {
  private readonly parts: DatabaseScheduleStoreParts;
  private readonly changed: Callbacks<[]>;

  constructor(parts: DatabaseScheduleStoreParts) {
    this.parts = parts;
    this.changed = new Callbacks((error) => parts.onTrouble(error, "telling of schedules that changed"));
  }

  read(): Promise<{ nowMs: number; schedules: StoredSchedule[] } | null> {
    return this.parts.persist(() => readSchedules(this.parts.database));
  }

  markTicked(ticks: readonly Tick[]): Promise<void> {
    return this.parts.persist(() => markTicked(this.parts.database, ticks));
  }

  onChanged(callback: () => void): () => void {
    return this.changed.add(callback);
  }

  /** A release was deployed. */
  tellChanged(): void {
    this.changed.call();
  }
}
