import { acceptedRunSchema, type ReplayRun, replayRunSchema } from "@flow-run/spec";
import { z } from "zod";
import { fingerprintOf, UNREPEATABLE } from "../fingerprint.ts";
import type { HttpApp } from "../http-app.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { planOf } from "../plan-replay.ts";
import { RequestRefusal } from "../request-refusal.ts";
import { answers, problems } from "../route-schema.ts";
import { isRunId, runNotFound } from "../run-not-found.ts";
import { sendAccepted } from "../send-accepted.ts";
import type { ServerContext } from "../server-context.ts";

/** No key of a client holds this character, so keys of replays and of starts never meet. */
const REPLAY_KEY_PREFIX = "replay\u001f";

/** `POST /v1/runs/{id}/replay`. */
export function replayRoute(app: HttpApp, context: ServerContext): void {
  app.post(
    "/v1/runs/:id/replay",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "replayRun",
        tags: ["runs"],
        summary: "Start a run again, as a whole or from a step",
        description:
          "A new run as the other was: input, tags, priority and webhook, as far as the body does not say otherwise. With `from` it takes over what the other, which must have ended, recorded before that step and beside it (in a parallel block, among the elements of a forEach), at no cost; that step and all that follows executes anew. `input` is then that step's.",
        params: z.object({ id: z.string() }),
        headers: z.object({ "idempotency-key": z.string().optional() }),
        body: replayRunSchema.optional(),
        response: {
          202: answers(acceptedRunSchema, "The new run is committed, and with it what it takes over."),
          ...problems(
            "malformed-request",
            "unauthorized",
            "insufficient-scope",
            "run-not-found",
            "flow-not-found",
            "release-not-found",
            "not-replayable",
            "invalid-input",
            "idempotency-key-reused",
            "webhooks-not-configured",
            "rate-limited",
          ),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const idempotencyKey = readIdempotencyKey(request.headers["idempotency-key"]);
      const earlier = isRunId(id) ? await context.store.replays.read(request.principal.environment, id) : null;
      if (earlier === null) throw runNotFound();
      const asked = (request.body ?? {}) as ReplayRun;
      const { from, input, tags, priority, webhook: given, release = from === undefined ? "current" : "same" } = asked;
      const { run } = earlier;
      if (run.contentsPrunedAt !== undefined && (from !== undefined || input === undefined)) {
        throw new RequestRefusal(
          "not-replayable",
          `What went into the run and came out of its steps was removed on ${run.contentsPrunedAt}, as the environment's retention says. Give the \`input\` anew and no \`from\`.`,
        );
      }
      const ofTheRun = from === undefined || run.kind === "task";
      const webhook = given === undefined ? earlier.webhook : typeof given === "string" ? { url: given } : given;
      return sendAccepted(context, request.principal, reply, {
        flow: run.flow,
        input: ofTheRun && input !== undefined ? input : run.input,
        release: release === "current" ? null : release === "same" ? run.release : release,
        tags: tags ?? run.tags,
        priority: priority ?? earlier.priority,
        idempotencyKey: idempotencyKey === null ? null : REPLAY_KEY_PREFIX + idempotencyKey,
        fingerprint:
          idempotencyKey === null ? UNREPEATABLE : fingerprintOf({ flow: run.flow, input: { replay: id }, options: { ...asked, release } }),
        ...(webhook && { webhook: { includeOutput: false, ...webhook } }),
        replay: {
          inheritsInput: !ofTheRun || input === undefined,
          plan: (pinned) => planOf(context, earlier, asked, pinned),
        },
      });
    },
  );
}
