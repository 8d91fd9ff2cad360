import { hash } from "node:crypto";
import { isTerminal, type Run, runFilterSchema, runListSchema, runSchema, stepListSchema } from "@flow-run/spec";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { HttpApp } from "../http-app.ts";
import { answers, noBody, problems } from "../route-schema.ts";
import { isRunId, runNotFound } from "../run-not-found.ts";
import type { ServerContext } from "../server-context.ts";

const MAX_PAGE = 200;

/** Reading runs. */
export function runRoutes(app: HttpApp, context: ServerContext): void {
  app.get(
    "/v1/runs/:id",
    {
      config: { scopes: ["run", "read"] },
      compress: {},
      schema: {
        operationId: "getRun",
        tags: ["runs"],
        summary: "Get a run",
        description:
          "With `wait` the answer is held until the run has ended, or for that many seconds. Unfinished runs carry `Retry-After`; an `If-None-Match` that still holds is answered with 304.",
        params: z.object({ id: z.string() }),
        querystring: z.object({
          wait: z.coerce.number().min(0).optional().describe(`Seconds; more than ${context.limits.waitSeconds} is taken as that.`),
        }),
        response: {
          200: answers(runSchema, "The run."),
          304: noBody("The run is as `If-None-Match` knows it."),
          ...problems("malformed-request", "unauthorized", "insufficient-scope", "run-not-found"),
        },
      },
    },
    async (request, reply) => {
      const run = await readRun(context, request, request.params.id, request.query.wait ?? 0);
      return sendRun(request, reply, run);
    },
  );

  app.get(
    "/v1/runs",
    {
      config: { scopes: ["read"] },
      compress: {},
      schema: {
        operationId: "listRuns",
        tags: ["runs"],
        summary: "List runs, newest first",
        querystring: runFilterSchema,
        response: {
          200: answers(runListSchema, "A page of runs."),
          ...problems("malformed-request", "unauthorized", "insufficient-scope"),
        },
      },
    },
    async (request) => {
      const { limit, ...filter } = request.query;
      return context.store.listRuns({
        ...filter,
        environment: request.principal.environment,
        ...(limit === undefined ? {} : { limit: Math.min(limit, MAX_PAGE) }),
      });
    },
  );

  app.get(
    "/v1/runs/:id/steps",
    {
      config: { scopes: ["run", "read"] },
      compress: {},
      schema: {
        operationId: "listSteps",
        tags: ["runs"],
        summary: "List the steps of a run and their attempts",
        params: z.object({ id: z.string() }),
        response: {
          200: answers(stepListSchema, "All steps, in the order they began."),
          ...problems("unauthorized", "insufficient-scope", "run-not-found"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const steps = isRunId(id) ? await context.store.listSteps(request.principal.environment, id) : null;
      if (steps === null) throw runNotFound();
      return { steps, nextCursor: null };
    },
  );
}

async function readRun(context: ServerContext, request: FastifyRequest, id: string, waitSeconds: number): Promise<Run> {
  const { environment } = request.principal;
  if (!isRunId(id)) throw runNotFound();
  let run: Run | null;
  if (waitSeconds === 0) run = await context.store.getRun(environment, id);
  else {
    const startedMs = performance.now();
    const gone = new AbortController();
    const onClose = () => gone.abort();
    request.raw.socket.once("close", onClose);
    run = await context.waiter
      .wait(environment, id, Math.min(waitSeconds, context.limits.waitSeconds) * 1000, gone.signal)
      .finally(() => request.raw.socket.off("close", onClose));
    request.waitedMs = performance.now() - startedMs;
  }
  if (run === null) throw runNotFound();
  return run;
}

function sendRun(request: FastifyRequest, reply: FastifyReply, run: Run): FastifyReply {
  const body = JSON.stringify(run);
  // Weak: with and without compression it is the same run.
  const etag = `W/"${hash("sha256", body, "base64url").slice(0, 27)}"`;
  reply.header("etag", etag).header("cache-control", "private, no-cache");
  if (!isTerminal(run.status)) reply.header("retry-after", "1");
  if (matches(request.headers["if-none-match"], etag)) return reply.code(304).send();
  return reply.type("application/json; charset=utf-8").send(body);
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const weak = (tag: string) => tag.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((tag) => weak(tag) === weak(etag));
}
