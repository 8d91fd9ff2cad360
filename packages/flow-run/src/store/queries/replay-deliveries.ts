import type { WebhookDelivery, WebhookDeliveryStatus } from "@flow-run/spec";
import type { Database } from "../database/index.ts";
import { CHANNEL } from "./notify-ended.ts";
import { DELIVERY_COLUMNS, type DeliveryRow, toDelivery } from "./read-deliveries.ts";

/** Makes deliveries due from the start of their schedule, and tries endpoints again that were disabled. What is under way is not touched. `$1` is the sender. */
function replaySql(condition: string): string {
  return `
WITH replayed AS (
  UPDATE flow_run.webhook_delivery AS d
  SET status = 'pending', series_attempts = 0, next_attempt_at = now(), leased_until = NULL, finished_at = NULL
  WHERE ${condition} AND (d.leased_until IS NULL OR d.leased_until < now())
  RETURNING ${DELIVERY_COLUMNS}
), enabled AS (
  DELETE FROM flow_run.webhook_endpoint AS e USING replayed AS p WHERE e.environment = p.environment AND e.url = p.url
), woken AS (
  SELECT pg_notify('${CHANNEL}', $1::text || ' webhook') WHERE EXISTS (SELECT FROM replayed)
)`;
}

const ONE = `${replaySql("d.environment = $2 AND d.id = $3")} SELECT replayed.*, (SELECT count(*) FROM woken) AS woken FROM replayed`;

const RANGE = `${replaySql(
  "d.environment = $2 AND d.created_at >= $3::timestamptz AND d.created_at < coalesce($4::timestamptz, 'infinity') AND d.status = ANY ($5::text[])",
)} SELECT count(*)::int AS replayed, (SELECT count(*) FROM woken) AS woken FROM replayed`;

/** null when there is none, or when it is under way. */
export async function replayDelivery(database: Database, sender: string, environment: string, id: string): Promise<WebhookDelivery | null> {
  const [row] = await database.query<DeliveryRow>(ONE, [sender, environment, id]);
  return row ? toDelivery(row) : null;
}

export async function replayDeliveries(
  database: Database,
  sender: string,
  range: { environment: string; from: string; to: string | null; statuses: readonly WebhookDeliveryStatus[] },
): Promise<number> {
  const [row] = await database.query<{ replayed: number }>(RANGE, [sender, range.environment, range.from, range.to, range.statuses]);
  return row?.replayed ?? 0;
}
