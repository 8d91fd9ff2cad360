import type { Json, JsonSchema, RunStatus } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import type { AwaitedSignal } from "../store.ts";
import { insertWokenJobs } from "./insert-woken-jobs.ts";
import { CHANNEL } from "./notify-ended.ts";

const AWAITED = `
SELECT r.status, w.path, w.signal, w.payload_schema
FROM flow_run.run AS r
LEFT JOIN flow_run.wait AS w ON w.run_id = r.id AND r.finished_at IS NULL AND w.signal IS NOT NULL AND w.delivered_at IS NULL AND w.due_at > now()
WHERE r.environment = $1 AND r.id = $2
ORDER BY w.opened_at, length(w.path), w.path`;

/** What a run waits for, in the order of waiting; null for an unknown run. */
export async function awaitedSignals(
  database: Database,
  environment: string,
  id: string,
): Promise<{ status: RunStatus; signals: AwaitedSignal[] } | null> {
  const rows = await database.query<{ status: RunStatus; path: string | null; signal: string; payload_schema: Json }>(AWAITED, [
    environment,
    id,
  ]);
  const [first] = rows;
  if (!first) return null;
  const signals = rows.flatMap(({ path, signal, payload_schema }) =>
    path === null ? [] : [{ name: signal, path, payloadSchema: payload_schema as JsonSchema | null }],
  );
  return { status: first.status, signals };
}

/** A statement of its own, so that the next one sees what whoever held the row before has decided. */
const LOCK = "SELECT id FROM flow_run.run WHERE environment = $1 AND id = $2 FOR UPDATE";

/** The payload, and the job of a run that has none, in one statement: no crash leaves a signal that nobody acts on. */
export function deliverSignalSql(insertJobsSql: string): string {
  return `
WITH delivered AS (
  UPDATE flow_run.wait AS w SET delivered_at = clock_timestamp(), payload = $4::text::json
  FROM flow_run.run AS r
  WHERE r.environment = $1 AND r.id = $2 AND r.finished_at IS NULL AND w.run_id = r.id AND w.path = $3
    AND w.signal IS NOT NULL AND w.delivered_at IS NULL AND w.due_at > clock_timestamp()
  RETURNING w.run_id
), requeued AS (
  UPDATE flow_run.run AS r SET status = 'queued', wake_at = NULL, job_id = gen_random_uuid() FROM delivered AS d
  WHERE r.id = d.run_id AND r.status = 'waiting'
  RETURNING r.id, r.job_id, r.priority, r.limited AS blocked
), new_job AS (${insertWokenJobs(insertJobsSql, "requeued")}
), woken AS (
  SELECT pg_notify('${CHANNEL}', CASE WHEN EXISTS (SELECT FROM requeued) THEN $5::text || ' queued' ELSE $5::text || ' signalled ' || run_id END)
  FROM delivered
)
SELECT (SELECT count(*)::int FROM delivered) AS delivered, (SELECT count(*)::int FROM requeued) AS requeued, (SELECT count(*) FROM woken) AS woken,
  EXISTS (SELECT FROM flow_run.wait AS w WHERE w.run_id = $2 AND w.path = $3 AND w.delivered_at IS NOT NULL AND w.payload::text IS NOT DISTINCT FROM $4::text)
    AS same_before`;
}

/** `sameBefore`: that very payload had been delivered there already. */
export async function deliverSignal(
  database: Database,
  sql: string,
  sender: string,
  signal: { environment: string; id: string; path: string; payload: string | null },
): Promise<{ delivered: boolean; requeued: boolean; sameBefore: boolean }> {
  const { environment, id, path, payload } = signal;
  const [, rows] = await database.batch([
    [LOCK, [environment, id]],
    [sql, [environment, id, path, payload, sender]],
  ]);
  const [row] = rows as { delivered: number; requeued: number; same_before: boolean }[];
  return { delivered: row?.delivered === 1, requeued: row?.requeued === 1, sameBefore: row?.same_before === true };
}
