// Announcing the end of runs, as Standard Webhooks says: what is sent, how it is signed, when it is tried again. The store writes a delivery in the
// statement that ends its run; from then on it is this room's, in every process that executes runs, until it is delivered or the schedule is over.

export { createWebhooks, type Webhooks, type WebhooksOptions } from "./create-webhooks.ts";
export type { DelivererClock } from "./deliverer.ts";
