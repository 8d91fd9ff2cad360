import type { Json } from "@flow-run/spec";

/** Makes a limit's next state of its present one (null: there is none yet). `nowMs` is epoch milliseconds by a clock that all processes share. */
export type ChangeState = (key: string, state: Json | null, nowMs: number) => Json;

/** Where the states of limits are kept: in this process, or in a database for all processes. */
export interface LimitStates {
  /**
   * Changes the state of each key, one change at a time for each. `change` may be called again for a key when another process was faster;
   * only its last result counts. Rejects when the states cannot be reached; the outcome is then unknown.
   */
  change(keys: readonly string[], change: ChangeState): Promise<void>;
}

/** The states of limits that one process keeps to itself. */
export class MemoryLimitStates implements LimitStates {
  private readonly states = new Map<string, Json>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  async change(keys: readonly string[], change: ChangeState): Promise<void> {
    for (const key of keys) this.states.set(key, change(key, this.states.get(key) ?? null, this.now()));
  }
}
