import { isTerminal, runEventSchema } from "@flow-run/spec";
import { z } from "zod";
import type { HttpApp } from "../http-app.ts";
import { RequestRefusal } from "../request-refusal.ts";
import { noBody, problems } from "../route-schema.ts";
import { isRunId, runNotFound } from "../run-not-found.ts";
import type { ServerContext } from "../server-context.ts";

/** `GET /v1/runs/{id}/events`: server-sent events. */
export function runEventsRoute(app: HttpApp, context: ServerContext): void {
  app.get(
    "/v1/runs/:id/events",
    {
      config: { scopes: ["run", "read"] },
      exposeHeadRoute: false,
      schema: {
        operationId: "streamRunEvents",
        tags: ["runs"],
        summary: "Watch a run",
        description:
          "Server-sent events. `step-finished` (one for each recorded step, in order) and `run-finished` (always last) carry an id; `step-started`, `text-delta` and `text-restarted` are live and have none. The text of an attempt begins at offset 0 and comes in order, without a gap and before its step is finished; a higher `attempt` makes it void, and a new connection tells the text of what is under way from its beginning. Send the last id as `Last-Event-ID` to go on after it; 204 means that there is nothing more. A reader that does not read is dropped and may resume.",
        params: z.object({ id: z.string() }),
        headers: z.object({ "last-event-id": z.string().optional() }),
        response: {
          200: { description: "The events; `data` is one JSON object each.", content: { "text/event-stream": { schema: runEventSchema } } },
          204: noBody("The run has ended, and `Last-Event-ID` was its last event."),
          ...problems("malformed-request", "unauthorized", "insufficient-scope", "run-not-found", "rate-limited"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { principal } = request;
      const afterSeq = readLastEventId(request.headers["last-event-id"]);
      context.streams.refuseOneTooMany(principal);
      const run = isRunId(id) ? await context.store.getRun(principal.environment, id) : null;
      if (run === null) throw runNotFound();
      if (afterSeq > 0) {
        const steps = (await context.store.listSteps(principal.environment, id)) ?? [];
        const lastSeq = steps.reduce((last, step) => Math.max(last, step.seq ?? 0), 0);
        if (isTerminal(run.status) && afterSeq === lastSeq + 1) return reply.code(204).send();
        if (afterSeq > lastSeq) throw badLastEventId("this run has no such event");
      }
      // Counted again: others may have come in meanwhile.
      context.streams.refuseOneTooMany(principal);
      reply.hijack();
      const response = reply.raw;
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        // When the stream ends, so does the connection: a server that closes waits for nobody's keep-alive.
        connection: "close",
        "x-request-id": request.id,
      });
      response.write("retry: 1000\n\n");
      context.streams.start(response, principal, id, afterSeq);
      return reply;
    },
  );
}

/** Ids are the ordinals of steps; 0 is the beginning. */
function readLastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === "") return 0;
  if (typeof header !== "string" || !/^\d{1,9}$/.test(header)) throw badLastEventId("it is not the id of an event");
  return Number(header);
}

function badLastEventId(why: string): RequestRefusal {
  return new RequestRefusal(
    "malformed-request",
    `The header Last-Event-ID cannot be used: ${why}. Leave it out to start from the beginning.`,
    {
      errors: [{ detail: why, parameter: "Last-Event-ID" }],
    },
  );
}
