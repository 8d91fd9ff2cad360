import type { Database } from "../database/index.ts";
import type { DeliveryOutcome } from "../webhook-store.ts";

/**
 * Books attempts: the attempt's row, and what follows for its delivery, only where that attempt is still the delivery's last one. An endpoint that is gone
 * takes everything with it that waits for it, except what others are sending just now.
 */
const SQL = `
WITH outcome AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::int[], $3::bool[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[], $9::float8[], $10::bool[], $11::bool[])
    AS o (id, attempt, made, duration_ms, http_status, error, answer, status, after_ms, uncounted, gone)
), booked AS (
  UPDATE flow_run.webhook_attempt AS a
  SET duration_ms = o.duration_ms, status = o.http_status, error = o.error, answer = o.answer
  FROM outcome AS o
  WHERE a.delivery_id = o.id AND a.number = o.attempt AND o.made
), unmade AS (
  DELETE FROM flow_run.webhook_attempt AS a USING outcome AS o WHERE a.delivery_id = o.id AND a.number = o.attempt AND NOT o.made
), settled AS (
  UPDATE flow_run.webhook_delivery AS d
  SET status = o.status, leased_until = NULL,
    next_attempt_at = CASE WHEN o.status = 'pending' THEN now() + o.after_ms * interval '1 millisecond' ELSE d.next_attempt_at END,
    attempts = d.attempts - (NOT o.made)::int, series_attempts = d.series_attempts - o.uncounted::int,
    finished_at = CASE WHEN o.status = 'pending' THEN NULL ELSE now() END
  FROM outcome AS o
  WHERE d.id = o.id AND d.attempts = o.attempt AND d.status = 'pending'
  RETURNING d.id, d.environment, d.url, o.gone
), gone AS (
  INSERT INTO flow_run.webhook_endpoint (environment, url) SELECT DISTINCT environment, url FROM settled WHERE gone
  ON CONFLICT DO NOTHING
)
UPDATE flow_run.webhook_delivery AS d SET status = 'disabled', finished_at = now()
FROM (SELECT DISTINCT environment, url FROM settled WHERE gone) AS g
WHERE d.environment = g.environment AND d.url = g.url AND d.endpoint = split_part(g.url, '?', 1) AND d.status = 'pending'
  AND d.leased_until IS NULL AND d.id NOT IN (SELECT id FROM settled)`;

export async function settleDeliveries(database: Database, outcomes: readonly DeliveryOutcome[]): Promise<void> {
  const made = outcomes.map((outcome) => outcome.made);
  const next = outcomes.map((outcome) => outcome.next);
  await database.query(SQL, [
    outcomes.map((outcome) => outcome.id),
    outcomes.map((outcome) => outcome.attempt),
    made.map((attempt) => attempt !== null),
    made.map((attempt) => attempt?.durationMs ?? null),
    made.map((attempt) => attempt?.status ?? null),
    made.map((attempt) => attempt?.error ?? null),
    made.map((attempt) => attempt?.answer ?? null),
    next.map(({ status }) => (status === "retry" ? "pending" : status)),
    next.map((one) => (one.status === "retry" ? one.afterMs : 0)),
    next.map((one) => one.status === "retry" && one.uncounted === true),
    next.map((one) => one.status === "disabled" && one.gone),
  ]);
}

/** What a process that is no more was sending is due now. Only for a database that no other process can use. */
export async function giveBackDeliveries(database: Database): Promise<void> {
  await database.query(
    "UPDATE flow_run.webhook_delivery SET leased_until = NULL, next_attempt_at = now() WHERE status = 'pending' AND leased_until IS NOT NULL",
  );
}
