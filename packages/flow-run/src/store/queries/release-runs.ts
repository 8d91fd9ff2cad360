import type { Database } from "../database/index.ts";

/** Handing back is no failure: the claim is not counted against the run. A run that holds a slot keeps it: its job does not go back to the line. */
const SQL = `
WITH locked AS MATERIALIZED (
  SELECT r.id FROM unnest($1::text[], $2::int[]) AS w (id, epoch)
  JOIN flow_run.run AS r ON r.id = w.id
  WHERE r.epoch = w.epoch AND r.finished_at IS NULL
  ORDER BY r.id
  FOR UPDATE OF r
)
UPDATE flow_run.run AS r SET status = CASE WHEN r.limited THEN r.status ELSE 'queued' END,
  claims_without_progress = greatest(0, r.claims_without_progress - 1)
FROM locked AS l WHERE r.id = l.id AND r.status = 'running'`;

export async function releaseRuns(database: Database, runs: readonly { id: string; epoch: number }[]): Promise<void> {
  await database.query(SQL, [runs.map((run) => run.id), runs.map((run) => run.epoch)]);
}
