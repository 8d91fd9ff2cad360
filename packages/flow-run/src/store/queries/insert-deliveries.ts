import { CHANNEL } from "./notify-ended.ts";

/** Columns of a run `r` that `insertDeliveries` reads from its source, beside `id`. */
export const WEBHOOK_COLUMNS = "r.environment, r.webhook_url, r.webhook_output";

/** SQL that writes the delivery of every run of `source` that has a webhook: part of the statement that ends those runs, which names it `new_delivery`. */
export function insertDeliveries(source: string): string {
  return `
  INSERT INTO flow_run.webhook_delivery (id, run_id, environment, url, endpoint, include_output)
  SELECT 'msg_' || id, id, environment, webhook_url, split_part(webhook_url, '?', 1), webhook_output
  FROM (${source}) AS e WHERE webhook_url IS NOT NULL
  ON CONFLICT DO NOTHING
  RETURNING id`;
}

/** SQL that wakes whoever delivers. The rows must be read by the statement, or nothing is sent. */
export function notifyDeliveries(sender: string): string {
  return `SELECT pg_notify('${CHANNEL}', ${sender}::text || ' webhook') WHERE EXISTS (SELECT FROM new_delivery)`;
}
