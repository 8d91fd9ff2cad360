import { randomUUID } from "node:crypto";
import compress from "@fastify/compress";
import { FlowRunError } from "@flow-run/spec";
import { fastify } from "fastify";
import type { Logger } from "pino";
import type { Validators } from "../compile/index.ts";
import type { Store } from "../store/index.ts";
import type { Webhooks } from "../webhooks/index.ts";
import { Authenticator } from "./authenticate.ts";
import { answerClientError } from "./client-error.ts";
import { EventStreams } from "./event-streams.ts";
import type { HttpApp } from "./http-app.ts";
import { parseJsonBody } from "./json-body.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import type { LiveEvents } from "./live/live-event-hub.ts";
import { LoadedReleases } from "./loaded-releases.ts";
import { Metrics } from "./metrics.ts";
import { registerOpenApi } from "./openapi.ts";
import { Readiness } from "./readiness.ts";
import { addRequestHooks, sendProblem } from "./request-hooks.ts";
import { registerRoutes } from "./routes/index.ts";
import { createRunIds } from "./run-id.ts";
import { RunWaiter } from "./run-waiter.ts";
import type { ServerContext } from "./server-context.ts";
import { SubmitLimiter } from "./submit-limiter.ts";
import { validateRequest } from "./validate-request.ts";

export interface AppOptions {
  store: Store;
  validators: Validators;
  /** The server's first key (`FLOW_RUN_ADMIN_KEY`): every scope in every environment. */
  adminKey?: string;
  /** Callers on this machine need no key and may do everything. */
  dev?: boolean;
  /** Secrets that deployed providers may use; asked at deploy, so that a missing one is named early. */
  secrets: (name: string) => string | undefined;
  logger: Logger;
  /** Of flow-run, for `/healthz` and the OpenAPI document. */
  version: string;
  /** What happens inside runs while it happens, wherever they are executed; absent: event streams tell what the journal tells. */
  live?: LiveEvents;
  /** Reasons of other parts of the process against taking runs, for `/readyz`. */
  notReady?: () => readonly string[];
  limits?: Partial<Limits>;
  /** Absent: runs with a webhook are refused. */
  webhooks?: Webhooks;
  /** Whether workers on this database start runs by their schedules, as far as this process knows. Default true. */
  keepsSchedules?: boolean;
  /** Only `/healthz`, `/readyz` and `/metrics`: for a process that executes runs and accepts none. Default false. */
  probesOnly?: boolean;
}

export interface App {
  /** Starts to answer; port 0 picks a free one. Rejects with `FlowRunError` `port-in-use`, `cannot-listen` or `admin-key-missing`. */
  listen(at: { port: number; host: string }): Promise<{ url: string }>;
  /** From now on `/readyz` answers 503 and new work is refused; what is under way goes on. */
  drain(): void;
  /** Drains, ends event streams, lets requests under way finish within the grace, and closes. Leaves the store open. */
  close(): Promise<void>;
}

/** The HTTP server over a store. Knows nothing of workers: who executes the runs is none of its business. */
export async function createApp(options: AppOptions): Promise<App> {
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const context = createContext(options, limits);
  const app = await createHttpApp(context);
  let closing: Promise<void> | null = null;

  return {
    async listen({ port, host }) {
      if (!isLoopback(host) && !options.adminKey && !options.probesOnly) {
        throw new FlowRunError(
          "admin-key-missing",
          `Set FLOW_RUN_ADMIN_KEY to a long random secret before the server listens on ${host}, where others can reach it; or listen on 127.0.0.1.`,
        );
      }
      const url = await app.listen({ port, host }).catch((error: unknown) => {
        throw cannotListen(error, port, host);
      });
      return { url };
    },
    drain() {
      context.readiness.startDraining();
    },
    close() {
      closing ??= closeApp(app, context);
      return closing;
    },
  };
}

function createContext(options: AppOptions, limits: Limits): ServerContext {
  const { store, logger } = options;
  const authenticator = new Authenticator({ store, adminKey: options.adminKey, dev: options.dev ?? false });
  return {
    store,
    validators: options.validators,
    releases: new LoadedReleases(store),
    authenticator,
    waiter: new RunWaiter(store),
    streams: new EventStreams({ store, live: options.live, authenticator, limits, logger }),
    submits: new SubmitLimiter(limits),
    metrics: new Metrics(),
    readiness: new Readiness(store, logger, options.notReady),
    limits,
    logger,
    version: options.version,
    secrets: options.secrets,
    webhooks: options.webhooks ?? null,
    keepsSchedules: options.keepsSchedules ?? true,
    probesOnly: options.probesOnly ?? false,
    newRunId: createRunIds(),
  };
}

async function createHttpApp(context: ServerContext): Promise<HttpApp> {
  const { limits } = context;
  const app = fastify({
    // Requests are logged by our own hook: Fastify's lines hold URLs.
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: Math.min(limits.headersTimeoutMs / 2, 5_000) },
    forceCloseConnections: "idle",
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: (request) => {
      const given = request.headers["x-request-id"];
      return typeof given === "string" && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => sendProblem(context, error, request, reply),
  }) as unknown as HttpApp;
  app.server.maxConnections = limits.connections;
  app.setValidatorCompiler(({ schema, httpPart }) => validateRequest(schema as never, httpPart));
  // What is sent is typed, and checked in tests; on the way out nothing needs to be read again.
  app.setSerializerCompiler(() => JSON.stringify);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, parseJsonBody(body as Buffer, limits.jsonDepth));
  });
  await app.register(compress, { global: false, globalDecompression: false, threshold: 1024, encodings: ["gzip"] });
  await registerOpenApi(app, context.version);
  addRequestHooks(app, context);
  registerRoutes(app, context);
  app.addHook("preClose", (done) => {
    context.streams.close();
    context.waiter.close();
    done();
  });
  await app.ready();
  return app;
}

async function closeApp(app: HttpApp, context: ServerContext): Promise<void> {
  context.readiness.startDraining();
  const giveUp = setTimeout(() => app.server.closeAllConnections(), context.limits.closeGraceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(giveUp);
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function cannotListen(error: unknown, port: number, host: string): FlowRunError {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "EADDRINUSE") {
    return new FlowRunError("port-in-use", `Port ${port} on ${host} is taken; stop what listens there, or pick another port with --port.`, {
      cause: error,
    });
  }
  return new FlowRunError(
    "cannot-listen",
    `Cannot listen on ${host}, port ${port} (${String(code ?? error)}); pick another with --host and --port.`,
    { cause: error },
  );
}
