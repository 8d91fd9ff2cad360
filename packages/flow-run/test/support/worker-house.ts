import type { Json, Run } from "@flow-run/spec";
import type { Bundle } from "../../src/compile/index.ts";
import { createValidators, resolveModel } from "../../src/compile/index.ts";
import { type EngineEvent, type EngineWorld, loadFlows, Worker } from "../../src/engine/index.ts";
import { createHttpAgent, createModelLimits, createProviders } from "../../src/model/index.ts";
import type { Store } from "../../src/store/index.ts";
import { systemClock } from "../../src/system-clock.ts";
import { newRun } from "./store-fixtures.ts";

/** A worker on a store, and what it tells; the flows of one bundle, and the simulator for their models. */
export class WorkerHouse {
  readonly events: EngineEvent[] = [];
  readonly worker: Worker;
  private readonly store: Store;
  private readonly waiting = new Set<() => void>();
  private readonly closeModels: () => Promise<void>;

  static async open(store: Store, bundle: Bundle): Promise<WorkerHouse> {
    const httpAgent = await createHttpAgent();
    const providers = createProviders({ providers: bundle.providers, secret: () => undefined, httpAgent });
    return new WorkerHouse(store, bundle, providers, async () => {
      await providers.close();
      await httpAgent.close();
    });
  }

  private constructor(store: Store, bundle: Bundle, providers: ReturnType<typeof createProviders>, closeModels: () => Promise<void>) {
    this.store = store;
    this.closeModels = closeModels;
    let attempts = 0;
    const owner = Math.random().toString(36).slice(2);
    const world: EngineWorld = {
      clock: systemClock(),
      random: () => 0,
      newAttemptId: () => `att_${owner}_${++attempts}`,
      emit: (event) => {
        this.events.push(event);
        for (const look of this.waiting) look();
      },
      wantsText: () => false,
      validators: createValidators(),
      limits: createModelLimits({ clock: systemClock() }),
      http: { request: () => Promise.reject(new Error("no http steps here")) },
    };
    const release = {
      environment: "dev",
      flows: loadFlows(bundle.flows),
      model: (name: string) => resolveModel(bundle, "dev", name),
      providers,
      vars: {},
      cache: { answers: store.cache, providerHash: (name: string) => name },
      secret: () => undefined,
    };
    this.worker = new Worker({
      store,
      world,
      loadRelease: async () => release,
      dueCheckMs: 20,
      onTrouble: (error, doing) => {
        throw new Error(doing, { cause: error });
      },
    });
    this.worker.start();
  }

  async start(flow: string, input: Json = {}): Promise<string> {
    const { run } = await this.store.submitRun(newRun({ flow, kind: "workflow", input }));
    return run.id;
  }

  /** The first event of this kind of the run, or the next after `after` events. */
  told(id: string, type: EngineEvent["type"], { path, after = 0 }: { path?: string; after?: number } = {}): Promise<EngineEvent> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.events
          .slice(after)
          .find((event) => event.runId === id && event.type === type && (path === undefined || (event as { path?: string }).path === path));
        if (!found) return;
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      look();
    });
  }

  /** The run once it has ended, as the store has it. */
  async ended(id: string): Promise<Run> {
    const over = Promise.withResolvers<void>();
    const stop = this.store.onEnded((ids) => ids?.includes(id) && over.resolve());
    const before = await this.store.getRun("dev", id);
    if (before?.finishedAt === null) await over.promise;
    stop();
    return (await this.store.getRun("dev", id))!;
  }

  async close(): Promise<void> {
    await this.worker.drain(0);
    await this.closeModels();
  }
}
