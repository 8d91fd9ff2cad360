import type { WebhookAttempt, WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryStatus } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import type { DeliveryFilter } from "../webhook-store.ts";
import { readCursor, writeCursor } from "./run-cursor.ts";

export const DELIVERY_COLUMNS =
  "d.id, d.run_id, d.environment, d.url, d.status, d.attempts, d.next_attempt_at, d.created_at, d.finished_at";

export interface DeliveryRow {
  id: string;
  run_id: string;
  environment: string;
  url: string;
  status: WebhookDeliveryStatus;
  attempts: number;
  next_attempt_at: Date;
  created_at: Date;
  finished_at: Date | null;
}

export function toDelivery(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    run: row.run_id,
    environment: row.environment,
    url: row.url,
    status: row.status,
    attemptCount: row.attempts,
    nextAttemptAt: row.status === "pending" ? row.next_attempt_at.toISOString() : null,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

const DEFAULT_LIMIT = 50;
const MOST = 200;

/** One page, newest first. Throws code `invalid-cursor`. */
export async function listDeliveries(
  database: Database,
  filter: DeliveryFilter,
): Promise<{ deliveries: WebhookDelivery[]; nextCursor: string | null }> {
  const limit = Math.min(MOST, Math.max(1, Math.trunc(filter.limit ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const params: unknown[] = [filter.environment];
  const given = (value: unknown) => `$${params.push(value)}`;
  const conditions = ["d.environment = $1"];
  if (filter.status !== undefined) conditions.push(`d.status = ${given(filter.status)}`);
  if (filter.run !== undefined) conditions.push(`d.run_id = ${given(filter.run)}`);
  if (filter.cursor !== undefined) {
    const { createdAtMicros, id } = readCursor(filter.cursor);
    const time = `'epoch'::timestamptz + ${given(createdAtMicros)}::bigint * interval '1 microsecond'`;
    conditions.push(`(d.created_at, d.id) < (${time}, ${given(id)})`);
  }
  const rows = await database.query<DeliveryRow & { micros: string }>(
    `SELECT ${DELIVERY_COLUMNS}, (extract(epoch FROM d.created_at) * 1000000)::bigint::text AS micros
     FROM flow_run.webhook_delivery AS d WHERE ${conditions.join(" AND ")}
     ORDER BY d.created_at DESC, d.id DESC LIMIT ${given(limit + 1)}`,
    params,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = rows.length > limit && last ? writeCursor({ createdAtMicros: last.micros, id: last.id }) : null;
  return { deliveries: page.map(toDelivery), nextCursor };
}

interface AttemptRow {
  number: number;
  started_at: Date;
  duration_ms: number | null;
  status: number | null;
  error: string | null;
  answer: string | null;
}

/** With its attempts, the first one first. */
export async function getDelivery(database: Database, environment: string, id: string): Promise<WebhookDeliveryDetail | null> {
  const [deliveries, attempts] = await database.batch([
    [`SELECT ${DELIVERY_COLUMNS} FROM flow_run.webhook_delivery AS d WHERE d.environment = $1 AND d.id = $2`, [environment, id]],
    [
      "SELECT number, started_at, duration_ms, status, error, answer FROM flow_run.webhook_attempt WHERE delivery_id = $1 ORDER BY number",
      [id],
    ],
  ]);
  const [row] = deliveries as unknown as DeliveryRow[];
  return row ? { ...toDelivery(row), attempts: (attempts as unknown as AttemptRow[]).map(toAttempt) } : null;
}

function toAttempt(row: AttemptRow): WebhookAttempt {
  return {
    number: row.number,
    startedAt: row.started_at.toISOString(),
    durationMs: row.duration_ms,
    status: row.status,
    error: row.error,
    answer: row.answer,
  };
}
