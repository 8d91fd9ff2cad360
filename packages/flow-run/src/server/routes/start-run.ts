import { acceptedRunSchema, type Json, type StartRun, startRunSchema } from "@flow-run/spec";
import { z } from "zod";
import { fingerprintOf, UNREPEATABLE } from "../fingerprint.ts";
import type { HttpApp } from "../http-app.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { answers, problems } from "../route-schema.ts";
import { sendAccepted } from "../send-accepted.ts";
import type { ServerContext } from "../server-context.ts";

/** `POST /v1/flows/{flow}/runs`: the hot path. */
export function startRunRoute(app: HttpApp, context: ServerContext): void {
  app.post(
    "/v1/flows/:flow/runs",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "startRun",
        tags: ["runs"],
        summary: "Start a flow",
        description:
          "Answers 202 once the run is committed: from then on it will end, whatever happens. With an `Idempotency-Key` (up to 255 characters) the same request can be sent again and starts nothing new; the same key with another request is refused. Keys are kept for 7 days, and at least as long as their run.",
        params: z.object({ flow: z.string() }),
        headers: z.object({ "idempotency-key": z.string().optional() }),
        body: startRunSchema.optional(),
        response: {
          202: answers(
            acceptedRunSchema,
            "The run is committed. `Location` is its address; `Idempotency-Replayed: true` tells that it was before.",
          ),
          ...problems(
            "malformed-request",
            "unauthorized",
            "insufficient-scope",
            "flow-not-found",
            "release-not-found",
            "idempotency-in-progress",
            "payload-too-large",
            "unsupported-media-type",
            "invalid-input",
            "idempotency-key-reused",
            "webhooks-not-configured",
            "rate-limited",
          ),
        },
      },
    },
    async (request, reply) => {
      const idempotencyKey = readIdempotencyKey(request.headers["idempotency-key"]);
      const { flow } = request.params;
      const { input = {}, tags = [], priority = 0, release = null, webhook: given, stream = false } = (request.body ?? {}) as StartRun;
      const webhook = given === undefined ? undefined : { includeOutput: false, ...(typeof given === "string" ? { url: given } : given) };
      return sendAccepted(context, request.principal, reply, {
        flow,
        input: input as Json,
        release,
        tags,
        priority,
        idempotencyKey,
        // Without a webhook as before there were any: keys that are in use go on to mean the same.
        fingerprint:
          idempotencyKey === null
            ? UNREPEATABLE
            : fingerprintOf({ flow, input, options: { tags, priority, release, ...(webhook && { webhook }) } }),
        ...(webhook && { webhook }),
        // No part of the fingerprint: who reads is not what is asked for.
        stream,
      });
    },
  );
}
