import { FlowRunError } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import type { Replay } from "../replay-store.ts";
import { type RunToSubmit, submitRuns } from "./submit-runs.ts";

/**
 * The new run stands as if a first owner had recorded the copies and then died: with an epoch of 1, so that who claims it reads what there is. No owner
 * of this run has made the copies; that is what their epoch of 0 says.
 */
const COPY = `
WITH linked AS (
  UPDATE flow_run.run SET replay_of = $2, replay_from = $3, replay_input = $4::json, epoch = $6::int WHERE id = $1 RETURNING id
), copied AS (
  INSERT INTO flow_run.step (run_id, path, seq, epoch, kind, status, input, output, error, started_at, finished_at)
  SELECT linked.id, s.path, row_number() OVER (ORDER BY s.seq), 0, s.kind, s.status, s.input, s.output, s.error, s.started_at, s.finished_at
  FROM linked CROSS JOIN flow_run.step AS s
  WHERE s.run_id = $2 AND s.path = ANY ($5::text[]) AND EXISTS (SELECT FROM flow_run.run AS o WHERE o.id = $2 AND o.contents_pruned_at IS NULL)
  RETURNING path
)
SELECT count(*)::int AS copied FROM copied`;

/** One transaction. Returns when the run was created; null when it, or another with its idempotency key, stands there already. */
export async function submitReplay(
  database: Database,
  submitSql: string,
  sender: string,
  submitted: RunToSubmit,
  { of, from, input, copied }: Omit<Replay, "run">,
): Promise<Date | null> {
  const { id } = submitted.run;
  return database.transaction(async (tx) => {
    const created = (await submitRuns(tx, submitSql, sender, [submitted])).get(id);
    if (!created) return null;
    const given = input === undefined ? null : JSON.stringify(input);
    const [row] = await tx.query<{ copied: number }>(COPY, [id, of, from, given, copied, from === null ? 0 : 1]);
    if (row?.copied !== copied.length) {
      throw new FlowRunError("not-replayable", "Steps that were to be taken over are not there any more. Replay the run as a whole.");
    }
    return created.createdAt;
  });
}
