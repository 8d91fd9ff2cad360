import type { IncomingMessage, ServerResponse } from "node:http";
import type { Scope } from "@flow-run/spec";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Principal } from "./principal.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The caller needs one of these; a route without is public. */
    scopes?: readonly Scope[];
  }
  interface FastifyRequest {
    /** Set before the handler of every route that has `scopes`. */
    principal: Principal;
    /** Milliseconds of this request spent waiting for a run to end. */
    waitedMs: number;
  }
}

/** Fastify, with handlers typed by their Zod schemas. */
export type HttpApp = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;
