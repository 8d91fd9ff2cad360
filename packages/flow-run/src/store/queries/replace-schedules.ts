import type { Transaction } from "../database/index.ts";

/** A schedule that is there already under the same times goes on where it was; a new one begins now. */
const SQL = `
WITH declared AS (
  SELECT f.key AS flow, f.value->'schedule' AS schedule
  FROM flow_run.release AS l, json_each(l.bundle->'flows') AS f
  WHERE l.environment = $1 AND l.number = $2 AND f.value->'schedule'->>'cron' IS NOT NULL
), gone AS (
  DELETE FROM flow_run.schedule WHERE environment = $1 AND flow NOT IN (SELECT flow FROM declared)
)
INSERT INTO flow_run.schedule AS s (environment, flow, cron, timezone, input)
SELECT $1, flow, schedule->>'cron', schedule->>'timezone', schedule->'input' FROM declared
ON CONFLICT (environment, flow) DO UPDATE SET cron = excluded.cron, timezone = excluded.timezone, input = excluded.input,
  ticked_until = CASE WHEN (s.cron, s.timezone) = (excluded.cron, excluded.timezone) THEN s.ticked_until ELSE excluded.ticked_until END`;

/** The environment's schedules become those of a release. Belongs into the transaction that makes the release current. */
export async function replaceSchedules(tx: Transaction, environment: string, release: number): Promise<void> {
  await tx.query(SQL, [environment, release]);
}
