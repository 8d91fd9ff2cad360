import { duePage, OF_DUE, SEEN } from "./prune-page.ts";

/** A webhook that is not delivered may have to carry the output. */
const IS_DUE = "NOT EXISTS (SELECT FROM flow_run.webhook_delivery AS d WHERE d.run_id = t.id AND d.status = 'pending')";

/** An error says what kind it is and where, but no longer what it was about. */
const withoutMessage = (
  keys: readonly string[],
) => `CASE WHEN error IS NULL THEN NULL ELSE json_build_object('code', error -> 'code', 'message',
      'The message was removed with the contents of the run.', ${keys.map((key) => `'${key}', error -> '${key}'`).join(", ")}) END`;

const STEP_ERROR = withoutMessage(["step", "retryable"]);

/** What people and models wrote goes; that it was written, when, by which model and at what cost stays. */
export const PRUNE_CONTENTS = `
WITH ${duePage("contents", "flow_run.run", IS_DUE, "t.contents_pruned_at IS NOT NULL")},
emptied_step AS (UPDATE flow_run.step SET input = NULL, output = NULL, error = ${STEP_ERROR} WHERE run_id = ${OF_DUE}
), emptied_attempt AS (UPDATE flow_run.attempt SET error = ${withoutMessage(["retryable"])} WHERE run_id = ${OF_DUE} AND error IS NOT NULL
), emptied_wait AS (UPDATE flow_run.wait SET payload = NULL WHERE run_id = ${OF_DUE}
), emptied_feedback AS (UPDATE flow_run.feedback SET comment = NULL WHERE run_id = ${OF_DUE}
), emptied_run AS (
  UPDATE flow_run.run SET contents_pruned_at = now(), input = 'null', output = NULL, replay_input = NULL, error = ${STEP_ERROR}
  WHERE id = ${OF_DUE}
)
${SEEN}`;
