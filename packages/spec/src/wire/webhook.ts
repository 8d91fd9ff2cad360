import { z } from "zod";

/** Where the end of a run is announced. A plain string is the URL. */
export const webhookSchema = z.union([
  z.string().min(1).max(2048),
  z.strictObject({
    url: z.string().min(1).max(2048),
    /** Also send the run's output; it may make the message large. Default false. */
    includeOutput: z.boolean().optional(),
  }),
]);
export type Webhook = z.infer<typeof webhookSchema>;

/**
 * - `pending`: an attempt is due or under way
 * - `delivered`: the endpoint answered 2xx
 * - `exhausted`: the last attempt of the schedule failed
 * - `disabled`: the endpoint answered 410, then or earlier
 */
export const webhookDeliveryStatusSchema = z.enum(["pending", "delivered", "exhausted", "disabled"]);
export type WebhookDeliveryStatus = z.infer<typeof webhookDeliveryStatusSchema>;

export const webhookDeliverySchema = z.object({
  /** The header `webhook-id` of every attempt. */
  id: z.string(),
  run: z.string(),
  environment: z.string(),
  url: z.string(),
  status: webhookDeliveryStatusSchema,
  attemptCount: z.int(),
  /** null unless pending. */
  nextAttemptAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});
export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>;

export const webhookAttemptSchema = z.object({
  number: z.int(),
  startedAt: z.iso.datetime(),
  /** null while it is under way, and when its process died. */
  durationMs: z.int().nullable(),
  /** Of the answer; null when none came. */
  status: z.int().nullable(),
  /** Why it failed, null when it did not. */
  error: z.string().nullable(),
  /** The first 4 KiB of the answer's body. */
  answer: z.string().nullable(),
});
export type WebhookAttempt = z.infer<typeof webhookAttemptSchema>;

export const webhookDeliveryDetailSchema = webhookDeliverySchema.extend({ attempts: z.array(webhookAttemptSchema) });
export type WebhookDeliveryDetail = z.infer<typeof webhookDeliveryDetailSchema>;

/** Query of `GET /v1/webhooks/deliveries`. */
export const webhookFilterSchema = z.object({
  status: webhookDeliveryStatusSchema.optional(),
  /** Id of a run. */
  run: z.string().max(64).optional(),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(512).optional(),
  /** 1…200, default 50; more is taken as 200. */
  limit: z.coerce.number().int().min(1).optional(),
});
export type WebhookFilterQuery = z.infer<typeof webhookFilterSchema>;

export const webhookDeliveryListSchema = z.object({ deliveries: z.array(webhookDeliverySchema), nextCursor: z.string().nullable() });
export type WebhookDeliveryList = z.infer<typeof webhookDeliveryListSchema>;

/** Body of `POST /v1/webhooks/deliveries/replay`: deliveries of runs that ended in this time. */
export const replayDeliveriesSchema = z.strictObject({
  from: z.iso.datetime({ offset: true }),
  /** Default: now. */
  to: z.iso.datetime({ offset: true }).optional(),
  /** Default: `exhausted` and `disabled`. */
  statuses: z
    .array(z.enum(["delivered", "exhausted", "disabled"]))
    .min(1)
    .max(3)
    .optional(),
});
export type ReplayDeliveries = z.infer<typeof replayDeliveriesSchema>;

export const replayedDeliveriesSchema = z.object({ replayed: z.int() });
export type ReplayedDeliveries = z.infer<typeof replayedDeliveriesSchema>;

/** What deliveries of an environment are signed with. */
export const webhookSecretSchema = z.object({
  environment: z.string(),
  /** `whsec_` and base64. */
  secret: z.string(),
  /** The secret before the last rotation, while messages are signed with both. */
  previous: z.object({ secret: z.string(), validUntil: z.iso.datetime() }).nullable(),
});
export type WebhookSecret = z.infer<typeof webhookSecretSchema>;
