import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Json, Run, Step } from "@flow-run/spec";
import type { TestAPI } from "vitest";
import { test as base } from "vitest";
import type { History, SimulatedRequest } from "./invariants.ts";
import { type Program, runProgram, startProgram } from "./program.ts";
import { freshPostgresUrl, programFile } from "./shared-databases.ts";

export type DatabaseKind = "postgres" | "pglite";

/** A `flow-run server` process. */
export interface Server extends Program {
  url: string;
}

/** Three model calls in a row, each on the answer of the one before; with unique texts every request of every run is unique, too. */
export const CHAIN = {
  "flow-run.yaml": `name: chain
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini, retries: 5, timeout: 30s, price: { input: 0.25, output: 2.00, cacheRead: 0.025 } } }
`,
  "prompts/ask.prompt": "---\ninput: { schema: { task: string, text: string } }\n---\n{{task}}: {{text}}\n",
  "flows/chain.yaml": `input: { text: string }
steps:
  - { id: first, run: ask, with: { task: outline, text: "\${{ input.text }}" } }
  - { id: second, run: ask, with: { task: "draft \${{ input.text }}", text: "\${{ steps.first.output }}" } }
  - { id: third, run: ask, with: { task: "polish \${{ input.text }}", text: "\${{ steps.second.output }}" } }
output: { text: "\${{ steps.third.output }}" }
`,
};

/** The ids of CHAIN's steps. */
export const CHAIN_STEPS = ["first", "second", "third"];

/** A simulator, a database, a project and any number of servers, all of them real processes; what an operator has on one machine. */
export class Installation {
  readonly directory: string;
  readonly dataDir: string;
  readonly adminKey = `admin-${randomBytes(16).toString("hex")}`;
  /** Runs that were accepted, by idempotency key: what a client has been promised. */
  readonly accepted = new Map<string, string>();
  /** Answers other than 202 and network failures that `submit` met, by status (0: no answer). */
  readonly refusals = new Map<number, number>();
  databaseUrl: string | undefined;
  simulatorUrl = "";
  private readonly bin: string;
  private readonly programs: Program[] = [];
  private server: Server | null = null;

  private constructor(bin: string) {
    this.bin = bin;
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), "flow-run-test-"));
    this.dataDir = path.join(this.directory, "data");
  }

  /** With its simulator running, and no server. `databaseUrl` in place of a new database on the shared server. */
  static async make(options: {
    database: DatabaseKind;
    databaseUrl?: string;
    script?: Json;
    files?: Record<string, string>;
  }): Promise<Installation> {
    const installation = new Installation(await programFile());
    if (options.database === "postgres") installation.databaseUrl = options.databaseUrl ?? (await freshPostgresUrl());
    installation.writeProject(options.files ?? CHAIN);
    await installation.startSimulator(options.script ?? {});
    return installation;
  }

  /** Whether a server is running that takes requests. */
  get isServed(): boolean {
    return this.server !== null && this.server.exit() === null;
  }

  get project(): string {
    return path.join(this.directory, "project");
  }

  /** Every process of the installation has this environment. */
  get env(): Record<string, string> {
    return {
      FLOW_RUN_ADMIN_KEY: this.adminKey,
      FLOW_RUN_API_KEY: this.adminKey,
      SIMULATOR_URL: this.simulatorUrl,
      LOG_LEVEL: "warn",
      ...(this.server ? { FLOW_RUN_URL: this.server.url } : {}),
      ...(this.databaseUrl ? { DATABASE_URL: this.databaseUrl } : {}),
    };
  }

  /** Overwrites files of the project. */
  writeProject(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.project, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
    }
  }

  /** Starts `flow-run ARGS`, which ends with the installation. */
  start(args: string[], env: Record<string, string> = {}): Program {
    const program = startProgram(this.bin, args, { env: { ...this.env, ...env }, cwd: this.directory });
    this.programs.push(program);
    return program;
  }

  /** Runs `flow-run ARGS` to its end. */
  command(args: string[], env: Record<string, string> = {}) {
    return runProgram(this.bin, args, { env: { ...this.env, ...env }, cwd: this.directory });
  }

  /** Starts a server without waiting for it. */
  launchServer(args: string[] = [], env: Record<string, string> = {}): Program {
    return this.start(["server", "--json", "--port", "0", "--data-dir", this.dataDir, ...args], env);
  }

  /** A server that is ready. Servers other than workers become the one that requests are sent to. */
  async startServer({
    role = "all",
    args = [],
    env = {},
  }: {
    role?: string;
    args?: string[];
    env?: Record<string, string>;
  } = {}): Promise<Server> {
    const program = this.launchServer(["--role", role, ...args], env);
    return this.serverOf(program, role);
  }

  /** The server that a launched program has become, once it is ready. */
  async serverOf(program: Program, role = "all"): Promise<Server> {
    const { url } = JSON.parse(await program.said(/^\{.*"url".*\}$/)) as { url: string };
    const server = { ...program, url };
    await until(async () => (await fetch(`${url}/readyz`)).ok, { what: "the server is ready", stop: () => program.exit() !== null });
    if (role !== "worker") this.server = server;
    return server;
  }

  async deploy(...args: string[]): Promise<void> {
    const { code, stderr } = await this.command(["deploy", "--env", "dev", "--project", this.project, ...args]);
    if (code !== 0) throw new Error(`flow-run deploy ended with ${code}: ${stderr}`);
  }

  /** Sends one request to the present server. */
  request(
    method: string,
    route: string,
    { body, headers = {}, timeoutMs = 60_000 }: { body?: unknown; headers?: Record<string, string>; timeoutMs?: number } = {},
  ) {
    if (!this.server || !this.isServed) return Promise.reject(new Error("No server is running."));
    return fetch(`${this.server.url}${route}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminKey}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Sends a submission once. Resolves with the answer, also when it is a refusal; what was accepted is noted. */
  async submitOnce(key: string, input: Json, flow = "chain"): Promise<Response> {
    const response = await this.request("POST", `/v1/flows/${flow}/runs`, { body: { input }, headers: { "idempotency-key": key } });
    if (response.status === 202) {
      const { id } = (await response.clone().json()) as { id: string };
      const before = this.accepted.get(key);
      if (before !== undefined && before !== id) throw new Error(`The key ${key} was accepted as ${before} and then as ${id}.`);
      this.accepted.set(key, id);
    }
    return response;
  }

  /** As a careful client: the same request with the same key until it is accepted. Returns the run's id. */
  async submit(key: string, input: Json, flow = "chain"): Promise<string> {
    const deadline = Date.now() + 90_000;
    for (;;) {
      let status = 0;
      try {
        const response = await this.submitOnce(key, input, flow);
        if (response.status === 202) return this.accepted.get(key)!;
        ({ status } = response);
        if (status !== 503 && status !== 401)
          throw new Refused(`The submission ${key} was answered with ${status}: ${await response.text()}`);
      } catch (error) {
        if (error instanceof Refused) throw error;
      }
      this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
      if (Date.now() > deadline) throw new Error(`The submission ${key} was not accepted within 90 s.`);
      await pause(50);
    }
  }

  /** The run when it has ended. */
  async ended(id: string, withinMs = 60_000): Promise<Run> {
    let run: Run | undefined;
    let unknown = false;
    await until(
      async () => {
        const response = await this.request("GET", `/v1/runs/${id}?wait=20`);
        unknown = response.status === 404;
        if (response.ok) run = (await response.json()) as Run;
        return response.ok && run!.finishedAt !== null;
      },
      { what: `the run ${id} has ended`, withinMs, stop: () => unknown },
    );
    return run!;
  }

  run(id: string): Promise<Run> {
    return this.read<Run>(`/v1/runs/${id}`);
  }

  async steps(id: string): Promise<Step[]> {
    return (await this.read<{ steps: Step[] }>(`/v1/runs/${id}/steps`)).steps;
  }

  /** All runs of the environment, however they came to be. */
  async allRuns(): Promise<Run[]> {
    const runs: Run[] = [];
    for (let cursor = ""; ; ) {
      const page = await this.read<{ runs: Run[]; nextCursor: string | null }>(`/v1/runs?limit=200${cursor}`);
      runs.push(...page.runs);
      if (page.nextCursor === null) return runs;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  }

  async read<T>(route: string): Promise<T> {
    const response = await this.request("GET", route);
    if (!response.ok) throw new Error(`GET ${route} was answered with ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** What the LLM was asked, oldest first. */
  async asked(): Promise<SimulatedRequest[]> {
    return ((await (await fetch(`${this.simulatorUrl}/_requests`)).json()) as { requests: SimulatedRequest[] }).requests;
  }

  /** Waits until the LLM has been asked so often. */
  async askedTimes(count: number): Promise<SimulatedRequest[]> {
    let requests: SimulatedRequest[] = [];
    await until(
      async () => {
        requests = await this.asked();
        return requests.length >= count;
      },
      { what: `the LLM was asked ${count} times` },
    );
    return requests;
  }

  /** Holds for the requests that come after it. */
  async setScript(script: Json): Promise<void> {
    const response = await fetch(`${this.simulatorUrl}/_script`, { method: "PUT", body: JSON.stringify(script) });
    if (!response.ok) throw new Error(await response.text());
  }

  /** Everything that can be seen from outside when all accepted runs have ended, or a minute later. */
  async history(): Promise<History> {
    await Promise.allSettled([...this.accepted.values()].map((id) => this.ended(id)));
    const runs = await this.allRuns();
    const steps = await Promise.all(runs.map(async (run) => [run.id, await this.steps(run.id)] as const));
    return { accepted: new Map(this.accepted), runs, steps: new Map(steps), requests: await this.asked() };
  }

  /** Ends all processes and removes all files. */
  async close(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.kill()));
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  private async startSimulator(script: Json): Promise<void> {
    const file = path.join(this.directory, "simulator.json");
    fs.writeFileSync(file, JSON.stringify(script));
    const program = this.start(["simulator", "--json", "--port", "0", "--script", file]);
    this.simulatorUrl = (JSON.parse(await program.said(/^\{.*"url".*\}$/)) as { url: string }).url;
  }
}

class Refused extends Error {}

/** Asks again and again until it is so. An error counts as "not yet"; the last one is told when the time is up. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  { what, withinMs = 60_000, stop = () => false }: { what: string; withinMs?: number; stop?: () => boolean },
): Promise<void> {
  const deadline = Date.now() + withinMs;
  let cause: unknown;
  for (;;) {
    try {
      if (await condition()) return;
    } catch (error) {
      cause = error;
    }
    if (stop() || Date.now() > deadline) throw new Error(`It did not come to pass within ${withinMs} ms that ${what}.`, { cause });
    await pause(20);
  }
}

type InstallationOptions = Parameters<typeof Installation.make>[0];

/** Tests that are handed `install`: what it makes is ended and removed with the test, also when tests run side by side. */
export const test: TestAPI<{ install: (options: InstallationOptions) => Promise<Installation> }> = base.extend<{
  install: (options: InstallationOptions) => Promise<Installation>;
}>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's shape
  install: async ({}, use) => {
    const made: Promise<Installation>[] = [];
    await use((options) => {
      const installation = Installation.make(options);
      made.push(installation);
      return installation;
    });
    await Promise.all(made.map(async (installation) => (await installation).close()));
  },
});
