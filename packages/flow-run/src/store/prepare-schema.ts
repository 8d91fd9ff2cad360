import type { Database } from "./database/index.ts";
import { migrate } from "./migrate.ts";
import { RunQueue } from "./queue/run-queue.ts";

/** Makes or upgrades everything that a store needs in a database, ours and the queue's, and starts nothing. */
export async function prepareSchema(database: Database): Promise<void> {
  await migrate(database);
  const queue = await RunQueue.open({ database, monitorSeconds: 3600, onTrouble: () => {} });
  await queue.close();
}
