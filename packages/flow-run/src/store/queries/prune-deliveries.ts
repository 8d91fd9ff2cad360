import { duePage, OF_DUE, SEEN } from "./prune-page.ts";

export const PRUNE_DELIVERIES = `
WITH ${duePage("deliveries", "flow_run.webhook_delivery", "t.status <> 'pending'", "false")},
gone_attempt AS (DELETE FROM flow_run.webhook_attempt WHERE delivery_id = ${OF_DUE}
), gone_delivery AS (DELETE FROM flow_run.webhook_delivery WHERE id = ${OF_DUE}
)
${SEEN}`;
