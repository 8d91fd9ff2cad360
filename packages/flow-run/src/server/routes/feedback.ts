import { FlowRunError, feedbackListSchema, feedbackSchema, type GiveFeedback, giveFeedbackSchema } from "@flow-run/spec";
import { z } from "zod";
import { fingerprintOf, UNREPEATABLE } from "../fingerprint.ts";
import type { HttpApp } from "../http-app.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { RequestRefusal } from "../request-refusal.ts";
import { answers, problems } from "../route-schema.ts";
import { isRunId, runNotFound } from "../run-not-found.ts";
import type { ServerContext } from "../server-context.ts";

/** What people and programs think of a run. */
export function feedbackRoutes(app: HttpApp, context: ServerContext): void {
  app.post(
    "/v1/runs/:id/feedback",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "giveFeedback",
        tags: ["runs"],
        summary: "Say what a run, or one of its steps, is worth",
        description:
          "At any time, also while it runs. Feedback is never changed: whoever thinks otherwise gives it again, and the newest of a name counts. A run takes 1,000.",
        params: z.object({ id: z.string() }),
        headers: z.object({ "idempotency-key": z.string().optional() }),
        body: giveFeedbackSchema,
        response: {
          201: answers(feedbackSchema, "The feedback is committed. `Idempotency-Replayed: true` tells that it was before."),
          ...problems(
            "malformed-request",
            "unauthorized",
            "insufficient-scope",
            "run-not-found",
            "too-much-feedback",
            "invalid-input",
            "idempotency-key-reused",
          ),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { environment } = request.principal;
      const idempotencyKey = readIdempotencyKey(request.headers["idempotency-key"]);
      const { name, value, comment = null, step = null, author = null } = request.body as GiveFeedback;
      const given = { name, value, comment, step, author };
      const fingerprint = idempotencyKey === null ? UNREPEATABLE : fingerprintOf({ flow: "", input: given, options: { feedback: id } });
      const added = isRunId(id)
        ? await context.store.feedback
            .add({ id: newFeedbackId(context), environment, run: id, ...given, idempotencyKey, fingerprint })
            .catch(refuseStep)
        : null;
      if (added === null) throw runNotFound();
      if (added.replayed) reply.header("idempotency-replayed", "true");
      return reply.code(201).send(added.feedback);
    },
  );

  app.get(
    "/v1/runs/:id/feedback",
    {
      config: { scopes: ["run", "read"] },
      compress: {},
      schema: {
        operationId: "listFeedback",
        tags: ["runs"],
        summary: "List the feedback of a run",
        params: z.object({ id: z.string() }),
        response: {
          200: answers(feedbackListSchema, "All of it, the oldest first."),
          ...problems("unauthorized", "insufficient-scope", "run-not-found"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const feedback = isRunId(id) ? await context.store.feedback.list(request.principal.environment, id) : null;
      if (feedback === null) throw runNotFound();
      return { feedback, nextCursor: null };
    },
  );
}

/** As unique as a run's, and sorts by time like it. */
function newFeedbackId({ newRunId }: ServerContext): string {
  return newRunId().replace(/^run_/, "fb_");
}

function refuseStep(error: unknown): never {
  if (!FlowRunError.isInstance(error) || error.code !== "unknown-step") throw error;
  throw new RequestRefusal("invalid-input", error.message, { errors: [{ detail: "the run has no such step", pointer: "/step" }] });
}
