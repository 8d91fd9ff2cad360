import type { Database } from "../database/index.ts";
import { LOCK_OWNED } from "./open-waits.ts";

/** A wait that was given up: no signal may be taken for it any more. */
export async function closeWait(database: Database, wait: { runId: string; epoch: number; path: string }): Promise<void> {
  await database.batch([
    [LOCK_OWNED, [[wait.runId], [wait.epoch]]],
    [
      `DELETE FROM flow_run.wait AS w USING flow_run.run AS r
       WHERE w.run_id = $1 AND w.path = $3 AND r.id = $1 AND r.epoch = $2 AND r.finished_at IS NULL`,
      [wait.runId, wait.epoch, wait.path],
    ],
  ]);
}
