import type { Peers } from "../../store/index.ts";
import type { LiveEventHub } from "./live-event-hub.ts";
import { Watchers } from "./watchers.ts";
import { Watching } from "./watching.ts";

/**
 * Joins the hub of this process with those of the others, for as long as the store is open: `reads`, it serves event streams; `executes`, it has a worker.
 * Nothing is sent while nobody watches.
 */
export async function linkProcesses(options: {
  hub: LiveEventHub;
  /** null: there are no others. */
  peers: Peers | null;
  reads: boolean;
  executes: boolean;
}): Promise<{ close(): Promise<void> }> {
  const { hub, peers, reads, executes } = options;
  const watchers = peers !== null && executes ? new Watchers(peers, hub) : null;
  const watching = peers !== null && reads ? new Watching(peers) : null;
  watchers?.start();
  await watching?.start(hub);
  return {
    async close() {
      hub.connect(null);
      watchers?.close();
      await watching?.close();
    },
  };
}
