import {
  replayDeliveriesSchema,
  replayedDeliveriesSchema,
  webhookDeliveryDetailSchema,
  webhookDeliveryListSchema,
  webhookDeliverySchema,
  webhookFilterSchema,
  webhookSecretSchema,
} from "@flow-run/spec";
import { z } from "zod";
import type { HttpApp } from "../http-app.ts";
import { RequestRefusal } from "../request-refusal.ts";
import { answers, problems } from "../route-schema.ts";
import type { ServerContext } from "../server-context.ts";
import { webhooksOf } from "../webhooks-of.ts";

/** What the ends of runs were announced with, and whether it arrived. */
export function webhookRoutes(app: HttpApp, context: ServerContext): void {
  app.get(
    "/v1/webhooks/secret",
    {
      config: { scopes: ["admin"] },
      schema: {
        operationId: "webhookSecret",
        tags: ["webhooks"],
        summary: "Show what webhooks of the environment are signed with",
        description: "Made at first use. Receivers verify messages with it, as Standard Webhooks says.",
        response: {
          200: answers(webhookSecretSchema, "The secret, and the one before it while that is still valid."),
          ...problems("unauthorized", "insufficient-scope", "webhooks-not-configured"),
        },
      },
    },
    async (request, reply) => {
      reply.header("cache-control", "no-store");
      return webhooksOf(context).secret(request.principal.environment);
    },
  );

  app.post(
    "/v1/webhooks/secret/rotate",
    {
      config: { scopes: ["admin"] },
      schema: {
        operationId: "rotateWebhookSecret",
        tags: ["webhooks"],
        summary: "Make a new secret",
        description: "For 24 hours every message carries two signatures, one of the new secret and one of the old.",
        response: {
          200: answers(webhookSecretSchema, "The new secret, and the old one with the end of its validity."),
          ...problems("unauthorized", "insufficient-scope", "webhooks-not-configured"),
        },
      },
    },
    async (request, reply) => {
      const { environment, id } = request.principal;
      const rotated = await webhooksOf(context).rotateSecret(environment);
      context.logger.info({ environment, caller: id }, "webhook secret rotated");
      reply.header("cache-control", "no-store");
      return rotated;
    },
  );

  app.get(
    "/v1/webhooks/deliveries",
    {
      config: { scopes: ["read"] },
      schema: {
        operationId: "listWebhookDeliveries",
        tags: ["webhooks"],
        summary: "List deliveries, newest first",
        querystring: webhookFilterSchema,
        response: {
          200: answers(webhookDeliveryListSchema, "A page of deliveries."),
          ...problems("malformed-request", "unauthorized", "insufficient-scope"),
        },
      },
    },
    async (request) => context.store.webhooks.list({ ...request.query, environment: request.principal.environment }),
  );

  app.get(
    "/v1/webhooks/deliveries/:id",
    {
      config: { scopes: ["read"] },
      schema: {
        operationId: "getWebhookDelivery",
        tags: ["webhooks"],
        summary: "Show a delivery with its attempts",
        params: z.object({ id: z.string() }),
        response: {
          200: answers(webhookDeliveryDetailSchema, "The delivery."),
          ...problems("unauthorized", "insufficient-scope", "delivery-not-found"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const delivery = isDeliveryId(id) ? await context.store.webhooks.get(request.principal.environment, id) : null;
      return delivery ?? refuseUnknown();
    },
  );

  app.post(
    "/v1/webhooks/deliveries/:id/replay",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "replayWebhookDelivery",
        tags: ["webhooks"],
        summary: "Deliver again",
        description:
          "At once, with the same `webhook-id`, and from the start of the schedule when it fails. An endpoint that was disabled is tried again. A delivery that is under way is left alone.",
        params: z.object({ id: z.string() }),
        response: {
          202: answers(webhookDeliverySchema, "It is due."),
          ...problems("unauthorized", "insufficient-scope", "delivery-not-found"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const replayed = isDeliveryId(id) ? await context.store.webhooks.replay(request.principal.environment, id) : null;
      return reply.code(202).send(replayed ?? refuseUnknown());
    },
  );

  app.post(
    "/v1/webhooks/deliveries/replay",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "replayWebhookDeliveries",
        tags: ["webhooks"],
        summary: "Deliver all of a time again",
        description:
          "Deliveries of runs that ended from `from` on and before `to`; those that failed for good, unless `statuses` says otherwise.",
        body: replayDeliveriesSchema,
        response: {
          202: answers(replayedDeliveriesSchema, "How many are due."),
          ...problems("unauthorized", "insufficient-scope", "invalid-input"),
        },
      },
    },
    async (request, reply) => {
      const { from, to = null, statuses = ["exhausted", "disabled"] } = request.body;
      const { environment } = request.principal;
      return reply.code(202).send({ replayed: await context.store.webhooks.replayRange({ environment, from, to, statuses }) });
    },
  );
}

function isDeliveryId(text: string): boolean {
  return /^[\w-]{1,80}$/.test(text);
}

function refuseUnknown(): never {
  throw new RequestRefusal(
    "delivery-not-found",
    "The environment of this key has no delivery of this id; GET /v1/webhooks/deliveries lists them.",
  );
}
