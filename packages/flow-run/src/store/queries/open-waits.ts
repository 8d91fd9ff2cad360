import type { Json } from "@flow-run/spec";
import type { Database } from "../database/index.ts";

/** With the schema as JSON text. */
export interface WaitToOpen {
  runId: string;
  epoch: number;
  path: string;
  /** null: waits for the time alone. */
  signal: string | null;
  dueInMs: number;
  payloadSchema: string | null;
}

export interface OpenedWait {
  /** The run has another owner or has ended; nothing else of this answer counts. */
  fenced: boolean;
  delivered: boolean;
  payload: Json;
  /** Until it is due, by the database's clock; 0 when it is. */
  remainingMs: number;
}

/**
 * A statement of its own: the next ones see what whoever held these rows before has written, and nothing that decides about a wait happens at the same time.
 * Waits are decided under this lock by `clock_timestamp()`, which does not go back from one holder to the next; `now()` would.
 */
export const LOCK_OWNED = `
SELECT w.ord::int AS ord, r.id FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS w (run_id, epoch, ord)
JOIN flow_run.run AS r ON r.id = w.run_id AND r.epoch = w.epoch
WHERE r.finished_at IS NULL
ORDER BY r.id FOR UPDATE OF r`;

/** What is there already is left as it is: a resumed run comes to the same wait again. */
const OPEN = `
INSERT INTO flow_run.wait (run_id, path, signal, opened_at, due_at, payload_schema)
SELECT w.run_id, w.path, w.signal, now(), clock_timestamp() + w.due_in_ms * interval '1 millisecond', w.payload_schema::json
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::float8[], $6::text[]) AS w (run_id, epoch, path, signal, due_in_ms, payload_schema)
WHERE EXISTS (SELECT FROM flow_run.run AS r WHERE r.id = w.run_id AND r.epoch = w.epoch AND r.finished_at IS NULL)
ON CONFLICT DO NOTHING`;

const READ = `
SELECT q.ord::int AS ord, w.delivered_at IS NOT NULL AS delivered, w.payload,
  greatest(0, extract(epoch FROM w.due_at - clock_timestamp()) * 1000)::float8 AS remaining_ms
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q (run_id, path, ord)
JOIN flow_run.wait AS w ON w.run_id = q.run_id AND w.path = q.path`;

/** Opens waits, or finds those that are open, and tells how they stand. In the order of `waits`. */
export async function openWaits(database: Database, waits: readonly WaitToOpen[]): Promise<OpenedWait[]> {
  const runIds = waits.map((wait) => wait.runId);
  const epochs = waits.map((wait) => wait.epoch);
  const paths = waits.map((wait) => wait.path);
  const [owned, , read] = await database.batch([
    [LOCK_OWNED, [runIds, epochs]],
    [
      OPEN,
      [runIds, epochs, paths, waits.map((wait) => wait.signal), waits.map((wait) => wait.dueInMs), waits.map((wait) => wait.payloadSchema)],
    ],
    [READ, [runIds, paths]],
  ]);
  const held = new Set((owned as { ord: number }[]).map((row) => row.ord));
  const found = new Map((read as { ord: number; delivered: boolean; payload: Json; remaining_ms: number }[]).map((row) => [row.ord, row]));
  return waits.map((_, index) => {
    const row = found.get(index + 1);
    if (!row || !held.has(index + 1)) return { fenced: true, delivered: false, payload: null, remainingMs: 0 };
    return { fenced: false, delivered: row.delivered, payload: row.payload, remainingMs: row.remaining_ms };
  });
}
