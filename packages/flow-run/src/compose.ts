// Wires the parts: everything is built here by hand, top to bottom, and closed in reverse. Only the command line and index.ts import this.
import { randomUUID } from "node:crypto";
import type { DeployResult, Json, Run, Step } from "@flow-run/spec";
import { FlowRunError } from "@flow-run/spec";
import type { Bundle } from "./compile/index.ts";
import { createValidators, hashJson, resolveModel } from "./compile/index.ts";
import type { EngineEvent, EngineRelease, EngineWorld } from "./engine/index.ts";
import { executeRun, Interruption, loadFlows, Scheduler, Worker } from "./engine/index.ts";
import type { ModelLimitsOptions, Providers } from "./model/index.ts";
import { createHttpAgent, createModelLimits, createProviders } from "./model/index.ts";
import { createOutbound, type NetworkPermission, type Outbound, permissionFrom } from "./outbound/index.ts";
import type { Database, ResponseCache, Store } from "./store/index.ts";
import { DatabaseSharedLimits, FileResponseCache, MemoryJournal, openPglite, openPostgres, openStore } from "./store/index.ts";
import { systemClock } from "./system-clock.ts";
import { waitForDatabase } from "./wait-for-database.ts";
import { createWebhooks } from "./webhooks/index.ts";

/** Secrets come from the process's environment. */
export function environmentSecret(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** The way out for http steps. What may be reached besides the internet is the operator's to say. */
function openOutbound(otherwise: NetworkPermission): Outbound {
  return createOutbound({ allowPrivateNetwork: permissionFrom(process.env.FLOW_RUN_ALLOW_PRIVATE_NETWORK, otherwise) });
}

/** The part of the house that talks to LLMs and executes, shared by local runs and servers. */
interface Execution {
  world: EngineWorld;
  /** A bundle ready to execute in an environment. Providers are made when they are first asked for. */
  release(bundle: Bundle, environment: string): EngineRelease;
  close(): Promise<void>;
}

async function createExecution(options: {
  emit: (event: EngineEvent) => void;
  wantsText: (runId: string) => boolean;
  outbound: Outbound;
  /** Where answers of models are kept that ask for it. Absent: nowhere. */
  answers?: ResponseCache | undefined;
  /** Where the limits of models are counted, if not in this process. */
  limits?: Omit<ModelLimitsOptions, "clock">;
}): Promise<Execution> {
  const clock = systemClock();
  const httpAgent = await createHttpAgent();
  const opened: Providers[] = [];
  const world: EngineWorld = {
    clock,
    random: Math.random,
    newAttemptId: () => `att_${randomUUID()}`,
    emit: options.emit,
    wantsText: options.wantsText,
    validators: createValidators(),
    limits: createModelLimits({ clock, ...options.limits }),
    http: { request: (request) => options.outbound.request({ ...request, timeoutMs: null }) },
  };
  return {
    world,
    release(bundle, environment) {
      const providers = createProviders({ providers: bundle.providers, secret: environmentSecret, httpAgent });
      opened.push(providers);
      return {
        environment,
        flows: loadFlows(bundle.flows),
        model: (name) => resolveModel(bundle, environment, name),
        providers,
        providerLimits: (name) => (Object.hasOwn(bundle.providers, name) ? bundle.providers[name]!.limits : undefined),
        vars: bundle.environments[environment]?.vars ?? {},
        secret: environmentSecret,
        ...(options.answers === undefined ? {} : { cache: { answers: options.answers, providerHash: hashOfProviders(bundle) } }),
      };
    },
    async close() {
      await world.limits.close();
      await Promise.allSettled(opened.map((providers) => providers.close()));
      await httpAgent.close();
    },
  };
}

/** What tells providers apart in the cache of answers: all that changes what they are asked, no secret, and not how often. */
function hashOfProviders({ providers }: Bundle): (name: string) => string {
  const hashes = new Map<string, string>();
  return (name) => {
    let hash = hashes.get(name);
    if (hash === undefined) {
      const { type, settings } = providers[name]!;
      hash = hashJson({ type, settings });
      hashes.set(name, hash);
    }
    return hash;
  };
}

/** Runs a flow in this process with a journal in memory. Resolves also when the run fails; `signal` cancels it. */
export async function runLocally(options: {
  bundle: Bundle;
  environment: string;
  flow: string;
  input: Json;
  onEvent(event: EngineEvent): void;
  signal: AbortSignal;
  /** Where answers of models are kept that ask for it. Absent: nowhere. */
  cacheDirectory?: string;
}): Promise<{ run: Run; steps: Step[] }> {
  const { bundle, environment, flow, input } = options;
  // Whoever runs a flow here wrote it; services on the same machine are what one tries it with.
  const outbound = openOutbound("loopback");
  const answers = options.cacheDirectory === undefined ? undefined : new FileResponseCache(options.cacheDirectory, Date.now);
  const execution = await createExecution({ emit: options.onEvent, wantsText: () => true, outbound, answers });
  const journal = new MemoryJournal();
  const createdAtMs = Date.now();
  const cancel = new AbortController();
  const stop = () => cancel.abort(new Interruption("cancelled", "The run was cancelled."));
  options.signal.addEventListener("abort", stop, { once: true });
  try {
    const run = {
      id: `run_local_${randomUUID()}`,
      flow,
      input,
      startedAtMs: createdAtMs,
      elapsedMs: 0,
      steps: [],
      attempts: {},
      spent: { costNanoUsd: 0, tokens: 0 },
    };
    const outcome = await executeRun(run, execution.release(bundle, environment), journal, execution.world, cancel.signal);
    if (!("ended" in outcome)) throw new FlowRunError("run-stopped", `The run stopped before it ended (${outcome.stopped}).`);
    return journal.toWire({ id: run.id, flow, kind: bundle.flows[flow]!.kind, environment, input, createdAtMs, finishedAtMs: Date.now() });
  } finally {
    options.signal.removeEventListener("abort", stop);
    await answers?.close();
    await execution.close();
    await outbound.close();
  }
}

export interface ServerOptions {
  role: "all" | "api" | "worker";
  host: string;
  port: number;
  /** Absent: the embedded database in `dataDir`. */
  databaseUrl: string | undefined;
  dataDir: string;
  /** How long a PostgreSQL that is away is waited for at start. Default 60,000. */
  databaseWaitMs?: number;
  /** Runs under way at once. */
  concurrency: number;
  /** Callers on this machine need no key. */
  dev: boolean;
  adminKey: string | undefined;
  /** Secrets in the database are encrypted under it; absent: under the admin key. */
  encryptionKey?: string;
  /** Where callers reach the API; it begins the links in webhooks. */
  publicUrl?: string;
  /** Whether this server starts runs by the schedules of their workflows; a process that executes no runs never does. */
  schedules: boolean;
}

export interface RunningServer {
  url: string;
  database: Database["kind"];
  /** Deploys to the environment `dev` without going through HTTP. */
  deploy(bundle: Bundle): Promise<DeployResult>;
  /** Rejects when the process can do nothing but end: the embedded database was lost. */
  failed: Promise<never>;
  /** Takes nothing new, lets what is under way finish for a while, hands the rest back, and closes. */
  close(): Promise<void>;
}

/** How long runs under way may finish at shutdown before they are handed back. */
const DRAIN_MS = 10_000;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { createLogger } = await import("./server/index.ts");
  const logger = createLogger({ level: process.env.LOG_LEVEL || (options.dev ? "warn" : "info") });
  const { databaseUrl, databaseWaitMs = 60_000 } = options;
  if (databaseUrl === undefined) return startOnce(options, logger);
  return waitForDatabase(() => startOnce(options, logger), {
    forMs: databaseWaitMs,
    onWaiting: (reason, leftMs) => logger.warn({ reason, secondsLeft: Math.round(leftMs / 1000) }, "waiting for the database"),
  });
}

/** Leaves nothing behind when it throws. */
async function startOnce(options: ServerOptions, logger: Logger): Promise<RunningServer> {
  const { createApp, createRunIds, linkProcesses, LiveEventHub } = await import("./server/index.ts");
  const { deployBundle } = await import("./release/index.ts");
  const { packageVersion } = await import("./package-version.ts");
  const { role, dev } = options;
  const onTrouble = (error: unknown, doing: string) => logger.warn({ err: error, doing }, "trouble; trying again");
  const fatal = Promise.withResolvers<never>();
  fatal.promise.catch(() => {});

  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const database = await openDatabase(options, logger, fatal.reject);
    closers.push(() => database.close());
    const opened = await openStore({ database, onTrouble });
    closers.push(() => opened.close());
    const testFault = process.env.FLOW_RUN_TEST_FAULT;
    const store = testFault ? (await import("./test-faults.ts")).withTestFault(opened, testFault) : opened;

    const live = new LiveEventHub();
    const emit = (event: EngineEvent) => {
      live.publish(event);
      if (event.type === "engine-defect") logger.error({ err: event.error, run: event.runId, flow: event.flow }, "engine defect");
      else if (event.type === "run-finished") {
        logger.info(
          { run: event.runId, flow: event.flow, status: event.status, code: event.error?.code, ms: event.durationMs },
          "run finished",
        );
      }
    };
    const outbound = openOutbound(dev ? "loopback" : false);
    closers.push(() => outbound.close());
    // An embedded database has one process, which can keep its limits to itself.
    const limits = database.kind === "pglite" ? {} : { states: new DatabaseSharedLimits(database), onTrouble };
    const execution = await createExecution({ emit, wantsText: (runId) => live.isWatched(runId), outbound, answers: store.cache, limits });
    closers.push(() => execution.close());

    const link = await linkProcesses({ hub: live, peers: store.peers, reads: role !== "worker", executes: role !== "api" });
    closers.push(() => link.close());

    if (role !== "api") {
      const worker = new Worker({
        store,
        world: execution.world,
        concurrency: options.concurrency,
        loadRelease: releaseLoader(store, execution),
        onTrouble,
      });
      worker.start();
      closers.push(() => worker.drain(DRAIN_MS));
    }
    if (role !== "api" && options.schedules) {
      const scheduler = new Scheduler({
        store,
        clock: execution.world.clock,
        newRunId: createRunIds(),
        onStarted: (run) => logger.info({ run: run.id, flow: run.flow, tick: run.tick }, "run started by its schedule"),
        onTrouble,
      });
      scheduler.start();
      closers.push(() => scheduler.stop());
    }

    if (role !== "api") {
      const { Pruner } = await import("./retention/index.ts");
      const pruner = new Pruner({ store, clock: systemClock(), onTrouble });
      pruner.start();
      closers.push(() => pruner.drain());
    }

    const webhooks = createWebhooks({
      store,
      keys: [options.encryptionKey, options.adminKey].filter((key) => key !== undefined),
      allowPrivateNetwork: permissionFrom(process.env.FLOW_RUN_ALLOW_PRIVATE_NETWORK, dev ? "loopback" : false),
      clock: systemClock(),
      random: Math.random,
      publicUrl: options.publicUrl,
      onTrouble,
    });
    if (role !== "api") {
      const deliveries = webhooks.deliver(outbound);
      closers.push(() => deliveries.drain(DRAIN_MS));
    }

    const app = await createApp({
      store,
      webhooks,
      validators: execution.world.validators,
      adminKey: options.adminKey,
      dev,
      secrets: environmentSecret,
      logger,
      version: packageVersion(),
      live,
      keepsSchedules: options.schedules,
      probesOnly: role === "worker",
    });
    closers.push(() => app.close());
    const { url } = await app.listen({ host: options.host, port: options.port });
    if (!options.adminKey && !dev && role !== "worker") {
      logger.warn("FLOW_RUN_ADMIN_KEY is not set: only API keys made before are accepted");
    }
    logger.info({ url, role, database: database.kind, node: process.versions.node }, "listening");
    return {
      url,
      database: database.kind,
      deploy: (bundle) =>
        deployBundle(store, environmentSecret, {
          environment: "dev",
          bundle: { ...bundle },
          author: null,
          message: null,
          commit: null,
        }),
      failed: fatal.promise,
      close,
    };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

type Logger = import("./server/index.ts").Logger;

async function openDatabase({ databaseUrl, dataDir }: ServerOptions, logger: Logger, onFatal: (error: Error) => void): Promise<Database> {
  if (databaseUrl === undefined) return openPglite({ directory: dataDir, onFatal });
  const onConnectionLost = (error: Error) => logger.warn({ err: error }, "a database connection was lost; it is replaced");
  return openPostgres({ connectionString: databaseUrl, onConnectionLost });
}

/** How many releases a worker keeps ready. Older ones are loaded again when a run needs them. */
const KEPT_RELEASES = 50;

function releaseLoader(store: Store, execution: Execution): (environment: string, number: number) => Promise<EngineRelease> {
  const loaded = new Map<string, Promise<EngineRelease>>();
  return (environment, number) => {
    const key = `${environment} ${number}`;
    const known = loaded.get(key);
    if (known) return known;
    const loading = (async () => {
      const bundle = await store.getBundle(environment, number);
      if (bundle === null) throw new FlowRunError("release-not-found", `Release ${number} of ${environment} is gone.`);
      const { readBundle } = await import("./release/index.ts");
      return execution.release(readBundle(bundle), environment);
    })();
    loaded.set(key, loading);
    // What failed is tried again by the next run.
    loading.catch(() => loaded.delete(key));
    if (loaded.size > KEPT_RELEASES) loaded.delete(loaded.keys().next().value!);
    return loading;
  };
}

/** Moves the embedded installation of `dataDir` to an empty PostgreSQL database; see `migrateTo`. */
export async function moveToPostgres(options: {
  dataDir: string;
  target: string;
}): Promise<{ tables: number; rows: number; movedTo: string }> {
  const { migrateTo } = await import("./store/migrate-to/index.ts");
  const { tables, oldDirectory } = await migrateTo({ directory: options.dataDir, databaseUrl: options.target });
  return { tables: tables.length, rows: tables.reduce((sum, table) => sum + table.rows, 0), movedTo: oldDirectory };
}
