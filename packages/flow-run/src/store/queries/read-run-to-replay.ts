import type { Database } from "../database/index.ts";
import type { RunToReplay } from "../replay-store.ts";
import { RUN_COLUMNS, type RunRow, toRun } from "./run-columns.ts";

const RUN = `SELECT ${RUN_COLUMNS}, r.priority, r.webhook_url, r.webhook_output FROM flow_run.run AS r
WHERE r.environment = $1 AND r.id = $2 AND r.pruned_at IS NULL`;

const STEPS = `
SELECT s.path, s.status FROM flow_run.run AS r JOIN flow_run.step AS s ON s.run_id = r.id
WHERE r.environment = $1 AND r.id = $2 ORDER BY s.seq`;

const UNDER_WAY = `
SELECT a.step_path AS path FROM flow_run.run AS r JOIN flow_run.attempt AS a ON a.run_id = r.id WHERE r.environment = $1 AND r.id = $2
UNION
SELECT w.path FROM flow_run.run AS r JOIN flow_run.wait AS w ON w.run_id = r.id WHERE r.environment = $1 AND r.id = $2`;

type ReplayedRow = RunRow & { priority: number; webhook_url: string | null; webhook_output: boolean };

/** null for an unknown run. */
export async function readRunToReplay(database: Database, environment: string, id: string): Promise<RunToReplay | null> {
  const params = [environment, id];
  const [runs, steps, begun] = await database.batch([
    [RUN, params],
    [STEPS, params],
    [UNDER_WAY, params],
  ]);
  const [row] = runs as unknown as ReplayedRow[];
  if (!row) return null;
  const recorded = steps as RunToReplay["steps"];
  const paths = new Set(recorded.map((step) => step.path));
  return {
    run: toRun(row),
    priority: row.priority,
    webhook: row.webhook_url === null ? null : { url: row.webhook_url, includeOutput: row.webhook_output },
    steps: recorded,
    underWay: (begun as { path: string }[]).flatMap(({ path }) => (paths.has(path) ? [] : [path])),
  };
}
