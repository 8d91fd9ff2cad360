import type { FastifyReply, FastifyRequest } from "fastify";
import { toErrorResponse } from "./error-response.ts";
import type { HttpApp } from "./http-app.ts";
import { mayDo, type Principal } from "./principal.ts";
import { RequestRefusal } from "./request-refusal.ts";
import type { ServerContext } from "./server-context.ts";

/** Paths that are answered while the server drains. */
const OPERATIONS: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

/** What happens to every request, in this order: its id, the gate while draining, who sent it and whether they may; after the answer, the count and the log. */
export function addRequestHooks(app: HttpApp, context: ServerContext): void {
  app.decorateRequest("waitedMs", 0);
  app.decorateRequest("principal", null as unknown as Principal);

  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    if (context.readiness.isDraining && !OPERATIONS.has(pathOf(request))) {
      throw new RequestRefusal("shutting-down", "This server is shutting down; send the request again, with the same Idempotency-Key.");
    }
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity") {
      throw new RequestRefusal("unsupported-media-type", "Send the body without content-encoding.");
    }
    const { scopes } = request.routeOptions.config;
    if (scopes === undefined) return done();
    const admit = (principal: Principal) => {
      if (!mayDo(principal, scopes)) {
        throw new RequestRefusal(
          "insufficient-scope",
          `This needs a key with the scope ${scopes.join(" or ")}; the key has ${[...principal.scopes].join(", ") || "none"}.`,
        );
      }
      request.principal = principal;
    };
    context.authenticator
      .authenticate(request.raw, request.query as Record<string, unknown>)
      .then(admit)
      .then(() => done(), done);
  });

  app.addHook("onSend", (request, reply, payload, done) => {
    if (request.url.startsWith("/v1/"))
      reply.header("x-flow-run-overhead-ms", Math.max(0, reply.elapsedTime - request.waitedMs).toFixed(2));
    if (context.readiness.isDraining) reply.header("connection", "close");
    done(null, payload);
  });

  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "(none)";
    const { statusCode: status } = reply;
    context.metrics.request(request.method, route, status, reply.elapsedTime / 1000);
    const level = status >= 500 ? "error" : status >= 400 ? "info" : "debug";
    if (context.logger.isLevelEnabled(level)) {
      // The pattern of the route, not the URL: what a caller puts there may be a secret.
      const principal = request.principal as Principal | null;
      const facts = { requestId: request.id, method: request.method, route, status, ms: Math.round(reply.elapsedTime) };
      context.logger[level]({ ...facts, caller: principal?.id, environment: principal?.environment }, "request");
    }
    done();
  });

  app.setErrorHandler((error, request, reply) => sendProblem(context, error, request, reply));
}

/** Also for errors that Fastify finds before a route is known. */
export function sendProblem(context: Pick<ServerContext, "logger">, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { problem, headers } = toErrorResponse(error, pathOf(request), request.id, context.logger);
  reply
    .code(problem.status)
    .headers(headers)
    .header("cache-control", "no-store")
    .type("application/problem+json")
    .send(JSON.stringify(problem));
}

function pathOf(request: FastifyRequest): string {
  const end = request.url.indexOf("?");
  return end === -1 ? request.url : request.url.slice(0, end);
}
