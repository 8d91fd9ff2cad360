import type { Database } from "../database/index.ts";
import { insertDeliveries, notifyDeliveries, WEBHOOK_COLUMNS } from "./insert-deliveries.ts";
import { notifyEnded } from "./notify-ended.ts";

/** A statement of its own, so that the next one sees every attempt that was begun before the run was locked. */
const LOCK = "SELECT id FROM flow_run.run WHERE environment = $1 AND id = $2 FOR UPDATE";

const CANCEL = `
WITH given_up AS (
  UPDATE flow_run.attempt AS a SET status = 'unknown', given_up_at = now()
  FROM flow_run.run AS r
  WHERE r.environment = $1 AND r.id = $2 AND r.finished_at IS NULL
    AND a.run_id = r.id AND a.finished_at IS NULL AND a.given_up_at IS NULL
  RETURNING a.id
), cancelled AS (
  UPDATE flow_run.run AS r
  SET status = 'cancelled', wake_at = NULL, epoch = r.epoch + 1, finished_at = now(),
    calls = r.calls + (SELECT count(*) FROM given_up), unpriced_calls = r.unpriced_calls + (SELECT count(*) FROM given_up)
  WHERE r.environment = $1 AND r.id = $2 AND r.finished_at IS NULL
  RETURNING r.id, r.job_id, ${WEBHOOK_COLUMNS}
), new_delivery AS (${insertDeliveries("SELECT * FROM cancelled")}
), notified AS (${notifyEnded("SELECT id FROM cancelled", "$3")}
    UNION ALL ${notifyDeliveries("$3")}
)
SELECT job_id, (SELECT count(*) FROM notified) AS notified FROM cancelled`;

/** The id of the cancelled run's job, null when the run is unknown or had ended. */
export async function cancelRun(database: Database, sender: string, environment: string, id: string): Promise<string | null> {
  const [, rows] = await database.batch([
    [LOCK, [environment, id]],
    [CANCEL, [environment, id, sender]],
  ]);
  return ((rows as { job_id: string }[])[0]?.job_id ?? null) as string | null;
}
