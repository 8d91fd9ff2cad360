import { isTerminal, type Json, jsonSchema, type RunStatus, runSchema } from "@flow-run/spec";
import { z } from "zod";
import type { AwaitedSignal } from "../../store/index.ts";
import type { HttpApp } from "../http-app.ts";
import { RequestRefusal } from "../request-refusal.ts";
import { answers, problems } from "../route-schema.ts";
import { isRunId, runNotFound } from "../run-not-found.ts";
import type { ServerContext } from "../server-context.ts";

/** Waits of one name that were answered by others between our look and our delivery. More than a few means that they are many. */
const MOST_TRIES = 10;

/** `POST /v1/runs/{id}/signals/{name}`: the body is the payload. */
export function signalRoute(app: HttpApp, context: ServerContext): void {
  app.post(
    "/v1/runs/:id/signals/:name",
    {
      config: { scopes: ["run"] },
      schema: {
        operationId: "signalRun",
        tags: ["runs"],
        summary: "Send a signal to a run that waits for it",
        description:
          "The body is the payload, any JSON that fits the schema of the `wait` step; no body is null. Answers once the signal is committed: from then on the run goes on with it. One signal answers one wait, the oldest of that name.",
        params: z.object({ id: z.string(), name: z.string() }),
        body: jsonSchema.optional(),
        response: {
          200: answers(runSchema, "The signal is committed; this is the run now."),
          ...problems(
            "malformed-request",
            "unauthorized",
            "insufficient-scope",
            "run-not-found",
            "not-waiting",
            "payload-too-large",
            "unsupported-media-type",
            "invalid-input",
          ),
        },
      },
    },
    async (request) => {
      const { id, name } = request.params;
      const { environment } = request.principal;
      const payload = (request.body ?? null) as Json;
      for (let tries = 0; ; tries++) {
        const awaited = isRunId(id) ? await context.store.awaitedSignals(environment, id) : null;
        if (awaited === null) throw runNotFound();
        const wait = awaited.signals.find((signal) => signal.name === name);
        if (wait === undefined || tries === MOST_TRIES) throw notWaiting(awaited);
        if (!(await context.store.deliverSignal(environment, id, wait.path, acceptPayload(context, wait, payload)))) continue;
        const run = await context.store.getRun(environment, id);
        if (run === null) throw runNotFound();
        return run;
      }
    },
  );
}

function acceptPayload(context: ServerContext, { name, path, payloadSchema }: AwaitedSignal, payload: Json): Json {
  if (payloadSchema === null) return payload;
  const { value, errors } = context.validators.validate(payloadSchema, payload, { defaults: true });
  if (errors.length === 0) return value;
  throw new RequestRefusal("invalid-input", `The payload does not fit what the step ${path} expects of the signal "${name}".`, {
    errors: errors.map((error) => ({ detail: error.message, pointer: error.pointer })),
  });
}

function notWaiting({ status, signals }: { status: RunStatus; signals: AwaitedSignal[] }): RequestRefusal {
  if (isTerminal(status)) return new RequestRefusal("not-waiting", `The run has ended (${status}); it takes no signals any more.`);
  const names = [...new Set(signals.map((signal) => signal.name))];
  return new RequestRefusal(
    "not-waiting",
    names.length === 0
      ? "The run waits for no signal now: it has not come to such a step yet, or the signal has been sent before. Look at its steps, and send it again if it is still to come."
      : `The run does not wait for this signal now. It waits for: ${names.join(", ")}.`,
  );
}
