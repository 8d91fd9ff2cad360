import { acceptedRunSchema, type ReplayRun, replayRunSchema, runSchema } from "@flow-run/spec";
import { z } from "zod";
import { fingerprintOf } from "../fingerprint.ts";
import type { HttpApp } from "../http-app.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { answers, problems } from "../route-schema.ts";
import { isRunId, runNotFound } from "../run-not-found.ts";
import { sendAccepted } from "../send-accepted.ts";
import type { ServerContext } from "../server-context.ts";

/** No key of a client holds this character, so keys of replays and of starts never meet. */
const REPLAY_KEY_PREFIX = "replay\u001f";

/** Acting on a run. */
export function runActionRoutes(app: HttpApp, context: ServerContext): void {
  app.post(
    "/v1/runs/:id/cancel",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "cancelRun",
        tags: ["runs"],
        summary: "Cancel a run",
        description: "The run ends as cancelled at once; a model call under way is given up, and still booked.",
        params: z.object({ id: z.string() }),
        response: {
          200: answers(runSchema, "The cancelled run."),
          ...problems("unauthorized", "insufficient-scope", "run-not-found", "not-cancellable"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const run = isRunId(id) ? await context.store.cancelRun(request.principal.environment, id) : null;
      if (run === null) throw runNotFound();
      return run;
    },
  );

  app.post(
    "/v1/runs/:id/replay",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "replayRun",
        tags: ["runs"],
        summary: "Start a new run with the input of an earlier one",
        params: z.object({ id: z.string() }),
        headers: z.object({ "idempotency-key": z.string().optional() }),
        body: replayRunSchema.optional(),
        response: {
          202: answers(acceptedRunSchema, "The new run is committed."),
          ...problems(
            "malformed-request",
            "unauthorized",
            "insufficient-scope",
            "run-not-found",
            "flow-not-found",
            "release-not-found",
            "invalid-input",
            "idempotency-key-reused",
            "rate-limited",
          ),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const key = readIdempotencyKey(request.headers["idempotency-key"]);
      const { release = "current" } = (request.body ?? {}) as ReplayRun;
      const earlier = isRunId(id) ? await context.store.getRun(request.principal.environment, id) : null;
      if (earlier === null) throw runNotFound();
      return sendAccepted(context, request.principal, reply, {
        flow: earlier.flow,
        input: earlier.input,
        release: release === "current" ? null : release === "same" ? earlier.release : release,
        tags: earlier.tags,
        priority: 0,
        idempotencyKey: key === null ? null : REPLAY_KEY_PREFIX + key,
        fingerprint: fingerprintOf({ flow: earlier.flow, input: { replay: id }, options: { release } }),
      });
    },
  );
}
