import type { EngineEvent } from "../engine/index.ts";

/** What happens right now inside runs of this process. Other processes' runs are seen through the store alone. */
export interface LiveEvents {
  /** Calls back with every event of one run until the returned function is called. */
  subscribe(runId: string, callback: (event: EngineEvent) => void): () => void;
}

/** Hands the engine's events to whoever watches a run; costs nothing for a run that nobody watches. */
export class LiveEventHub implements LiveEvents {
  private readonly watchers = new Map<string, Set<(event: EngineEvent) => void>>();

  publish(event: EngineEvent): void {
    const watching = this.watchers.get(event.runId);
    if (watching !== undefined) for (const callback of watching) callback(event);
  }

  isWatched(runId: string): boolean {
    return this.watchers.has(runId);
  }

  subscribe(runId: string, callback: (event: EngineEvent) => void): () => void {
    let watching = this.watchers.get(runId);
    if (watching === undefined) {
      watching = new Set();
      this.watchers.set(runId, watching);
    }
    watching.add(callback);
    return () => {
      watching.delete(callback);
      if (watching.size === 0 && this.watchers.get(runId) === watching) this.watchers.delete(runId);
    };
  }
}
