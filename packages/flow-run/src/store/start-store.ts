import { randomBytes } from "node:crypto";
import { DatabaseStore } from "./database-store.ts";
import { migrate } from "./migrate.ts";
import type { StoreOptions } from "./open-store.ts";
import { giveBackDeliveries } from "./queries/settle-deliveries.ts";
import { RunQueue } from "./queue/run-queue.ts";
import type { Store } from "./store.ts";

/** Migrates the database, starts the queue and gives out the store. */
export async function startStore({
  database,
  onlyProcess = database.kind === "pglite",
  monitorSeconds = 1,
  submitTimeoutMs = 10_000,
  onTrouble = () => {},
}: StoreOptions): Promise<Store> {
  await migrate(database);
  const queue = await RunQueue.open({ database, monitorSeconds, onTrouble });
  const store = new DatabaseStore({ database, queue, sender: randomBytes(6).toString("base64url"), submitTimeoutMs, onTrouble });
  try {
    if (onlyProcess) await Promise.all([queue.giveBackAll(), giveBackDeliveries(database)]);
    await store.listen();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
