import type { Json, Run, Step } from "@flow-run/spec";
import { type Bundle, createValidators } from "../../src/compile/index.ts";
import { type App, createApp, createLogger } from "../../src/server/index.ts";
import type { Database } from "../../src/store/database/index.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import { createWebhooks } from "../../src/webhooks/index.ts";
import { until } from "./installation.ts";
import { WorkerHouse } from "./worker-house.ts";

const ADMIN_KEY = "frk_admin-key-of-the-tests";

export interface Answer {
  status: number;
  headers: Headers;
  /** The end of a problem's type; null for a success. */
  problem: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever comes back
  json: any;
}

/** The HTTP API, and a worker that executes what it accepts, on one database and in this process. */
export class ServedHouse {
  readonly store: Store;
  /** The present worker. */
  house: WorkerHouse;
  private readonly app: App;
  private readonly url: string;

  /** With `bundle` as the first release of `dev`; the worker executes its flows whatever the release of a run. */
  static async open(database: Database, bundle: Bundle): Promise<ServedHouse> {
    const store = await openStore({ database });
    await ServedHouse.deployTo(store, bundle);
    const webhooks = createWebhooks({
      store,
      keys: ["a key for the tests that is long enough"],
      allowPrivateNetwork: true,
      clock: { now: () => Date.now(), sleep: () => new Promise(() => {}) },
      random: () => 0.5,
      onTrouble: () => {},
    });
    const app = await createApp({
      store,
      validators: createValidators(),
      adminKey: ADMIN_KEY,
      secrets: () => undefined,
      logger: createLogger({ level: "silent" }),
      version: "0.0.0-test",
      webhooks,
    });
    const { url } = await app.listen({ port: 0, host: "127.0.0.1" });
    return new ServedHouse(store, await WorkerHouse.open(store, bundle), app, url);
  }

  private static async deployTo(store: Store, bundle: Bundle): Promise<void> {
    const inert = bundle as unknown as Parameters<Store["deploy"]>[0]["bundle"];
    await store.deploy({ environment: "dev", bundle: inert, hash: bundle.hash, author: null, message: null, commit: null });
  }

  private constructor(store: Store, house: WorkerHouse, app: App, url: string) {
    this.store = store;
    this.house = house;
    this.app = app;
    this.url = url;
  }

  /** Makes it the current release of `dev`, for the API. */
  deploy(bundle: Bundle): Promise<void> {
    return ServedHouse.deployTo(this.store, bundle);
  }

  async call(
    method: string,
    path: string,
    {
      body,
      headers = {},
      environment = "dev",
      key = ADMIN_KEY,
    }: { body?: unknown; headers?: Record<string, string>; environment?: string; key?: string } = {},
  ): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(key === ADMIN_KEY ? { "x-flow-run-environment": environment } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const json = text === "" ? null : JSON.parse(text);
    return { status: response.status, headers: response.headers, problem: response.ok ? null : json.type.split("/").at(-1), json };
  }

  /** The id of a new run. Throws when it is not accepted. */
  async start(flow: string, input: Json = {}, options: Record<string, Json> = {}): Promise<string> {
    return this.accepted(await this.call("POST", `/v1/flows/${flow}/runs`, { body: { input, ...options } }));
  }

  /** The id of the new run. Throws when it is not accepted. */
  async replay(id: string, body: Record<string, Json> = {}): Promise<string> {
    return this.accepted(await this.call("POST", `/v1/runs/${id}/replay`, { body }));
  }

  /** The run once it has ended. */
  ended(id: string): Promise<Run> {
    return this.house.ended(id);
  }

  async run(id: string): Promise<Run> {
    return (await this.call("GET", `/v1/runs/${id}`)).json as Run;
  }

  async steps(id: string): Promise<Step[]> {
    return (await this.call("GET", `/v1/runs/${id}/steps`)).json.steps as Step[];
  }

  /** The whole answer, as text. */
  async text(path: string): Promise<string> {
    const response = await fetch(this.url + path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
    return response.text();
  }

  /** The worker stops at once, in the middle of its runs; a new one takes its place. */
  async changeWorker(bundle: Bundle): Promise<void> {
    await this.house.close();
    this.house = await WorkerHouse.open(this.store, bundle);
  }

  /** Once everything that was accepted has ended, or waits. */
  async close(): Promise<void> {
    await this.app.close();
    await until(async () => this.house.worker.activeRuns === 0 && (await this.store.queueDepth()).queued === 0, {
      what: "nothing is left to do",
    });
    await this.house.close();
    await this.store.close();
  }

  private accepted({ status, json }: Answer): string {
    if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(json)}`);
    return json.id as string;
  }
}
