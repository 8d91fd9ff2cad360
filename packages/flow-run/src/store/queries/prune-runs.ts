import { duePage, OF_DUE, SEEN } from "./prune-page.ts";

/** An idempotency key is kept at least so long, also when its run is not. */
export const KEY_KEPT = "interval '7 days'";

/** A webhook that is not delivered needs its run; a call whose answer may still come will be booked on it. */
const IS_DUE = `NOT EXISTS (SELECT FROM flow_run.webhook_delivery AS d WHERE d.run_id = t.id AND d.status = 'pending')
    AND NOT EXISTS (SELECT FROM flow_run.attempt AS a WHERE a.run_id = t.id AND a.finished_at IS NULL
      AND coalesce(a.given_up_at, a.started_at) > now() - interval '1 hour')`;

const KEEPS_KEY = `d.idempotency_key IS NOT NULL AND d.created_at > now() - ${KEY_KEPT}`;

const SUMS = [
  "calls",
  "cache_hits",
  "unpriced_calls",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "cost_nano_usd",
];

/**
 * Runs with all that belongs to them; what they cost goes to the rollups with the same commit. A run whose idempotency key is still kept becomes a row
 * that nobody sees and that holds nothing but the key.
 */
export const PRUNE_RUNS = `
WITH ${duePage("runs", "flow_run.run", IS_DUE, "t.pruned_at IS NOT NULL")},
gone_step AS (DELETE FROM flow_run.step WHERE run_id = ${OF_DUE}),
gone_wait AS (DELETE FROM flow_run.wait WHERE run_id = ${OF_DUE}),
gone_feedback AS (DELETE FROM flow_run.feedback WHERE run_id = ${OF_DUE}),
gone_attempt AS (
  DELETE FROM flow_run.attempt WHERE run_id = ${OF_DUE} RETURNING *
), gone_delivery AS (
  DELETE FROM flow_run.webhook_delivery WHERE run_id = ${OF_DUE} RETURNING id
), gone_webhook_attempt AS (
  DELETE FROM flow_run.webhook_attempt WHERE delivery_id = ANY (ARRAY(SELECT id FROM gone_delivery))
), gone_run AS (
  DELETE FROM flow_run.run WHERE id = ANY (ARRAY(SELECT d.id FROM due AS d WHERE NOT (${KEEPS_KEY})))
), stripped AS (
  UPDATE flow_run.run SET pruned_at = now(), contents_pruned_at = now(), input = 'null', output = NULL, error = NULL, tags = '{}', webhook_url = NULL,
    replay_of = NULL, replay_from = NULL, replay_input = NULL
  WHERE id = ANY (ARRAY(SELECT d.id FROM due AS d WHERE ${KEEPS_KEY}))
), key_later AS (
  INSERT INTO flow_run.retention_later (what, id, environment, due_at)
  SELECT 'keys', d.id, $1, d.created_at + ${KEY_KEPT} FROM due AS d WHERE ${KEEPS_KEY}
  ON CONFLICT DO NOTHING
), no_contents_later AS (
  DELETE FROM flow_run.retention_later WHERE what = 'contents' AND id = ${OF_DUE}
), rolled_up AS (
  INSERT INTO flow_run.cost_rollup AS c (environment, day, flow, release, provider, model, runs, ${SUMS.join(", ")})
  SELECT $1, (d.created_at AT TIME ZONE 'UTC')::date, d.flow, d.release, a.provider, a.model, 0,
    count(*) FILTER (WHERE NOT a.cached), count(*) FILTER (WHERE a.cached), count(*) FILTER (WHERE a.cost_nano_usd IS NULL), coalesce(sum(a.input_tokens), 0), coalesce(sum(a.output_tokens), 0),
    coalesce(sum(a.cache_read_tokens), 0), coalesce(sum(a.cache_write_tokens), 0), coalesce(sum(a.reasoning_tokens), 0),
    coalesce(sum(a.cost_nano_usd), 0)
  FROM gone_attempt AS a JOIN due AS d ON d.id = a.run_id
  WHERE a.finished_at IS NOT NULL OR a.given_up_at IS NOT NULL
  GROUP BY 2, 3, 4, 5, 6
  UNION ALL
  SELECT $1, (d.created_at AT TIME ZONE 'UTC')::date, d.flow, d.release, '', '', count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0
  FROM due AS d
  GROUP BY 2, 3, 4
  ON CONFLICT (environment, day, flow, release, provider, model) DO UPDATE
  SET runs = c.runs + excluded.runs, ${SUMS.map((column) => `${column} = c.${column} + excluded.${column}`).join(", ")}
)
${SEEN}`;

/** Keys of pruned runs that may be used again. */
export const PRUNE_KEYS = `
WITH later AS MATERIALIZED (
  SELECT id FROM flow_run.retention_later WHERE environment = $1 AND what = 'keys' AND due_at <= now() ORDER BY due_at LIMIT $2::int
  FOR UPDATE SKIP LOCKED
), gone_run AS (
  DELETE FROM flow_run.run WHERE id = ANY (ARRAY(SELECT id FROM later)) AND pruned_at IS NOT NULL
), settled AS (
  DELETE FROM flow_run.retention_later WHERE what = 'keys' AND id = ANY (ARRAY(SELECT id FROM later))
)
SELECT count(*)::int AS seen, count(*)::int AS pruned FROM later`;
