import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { seededRandom } from "../../src/model/simulator/seeded-random.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import type { SimulatedRequest } from "../support/invariants.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { type Program, runProgram, startProgram } from "../support/program.ts";
import type { Network } from "./network.ts";
import { type DatabaseStory, installObserver, readStory } from "./observer.ts";
import { HEALTHY_VENDOR, projectFiles, SICK_VENDOR } from "./project.ts";
import { type Role, ServerSlot } from "./server-slot.ts";
import { type Sink, startSink } from "./sink.ts";

/** Two that take requests (one of which also works) and three workers. */
const ROLES: readonly (readonly [name: string, role: Role])[] = [
  ["door_1", "api"],
  ["door_2", "all"],
  ["worker_1", "worker"],
  ["worker_2", "worker"],
  ["worker_3", "worker"],
];

/** What an operator has: a database, servers, vendors and a receiver. Everything real, and reached over a network that can fail. */
export class House {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "flow-run-chaos-"));
  readonly adminKey = `admin-${randomBytes(16).toString("hex")}`;
  readonly slots: ServerSlot[] = [];
  /** Versions by the number of the release that has them. */
  readonly releases = new Map<number, string>();
  /** Ends of servers that nobody caused. */
  readonly deaths: string[] = [];
  postgres!: PostgresServer;
  sink!: Sink;
  private vendors: { sick: string; healthy: string } = { sick: "", healthy: "" };
  private readonly program: string;
  private readonly network: Network;
  private readonly programs: Program[] = [];
  private readonly links: FaultyProxy[] = [];

  static async open(options: { program: string; network: Network; seed: string }): Promise<House> {
    const house = new House(options.program, options.network);
    try {
      await house.build(options.seed);
      return house;
    } catch (error) {
      await house.close();
      throw error;
    }
  }

  private constructor(program: string, network: Network) {
    this.program = program;
    this.network = network;
  }

  get workers(): ServerSlot[] {
    return this.slots.filter((slot) => slot.role === "worker");
  }

  get doors(): ServerSlot[] {
    return this.slots.filter((slot) => slot.takesRequests);
  }

  /** Makes a new release of the project and makes it current, as `flow-run deploy` does. */
  async deploy(): Promise<number> {
    const version = `v${this.releases.size + 1}`;
    const project = path.join(this.directory, `project-${version}`);
    for (const [name, text] of Object.entries(projectFiles(version))) {
      fs.mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
      fs.writeFileSync(path.join(project, name), text);
    }
    const env = { FLOW_RUN_API_KEY: this.adminKey, FLOW_RUN_URL: this.doors.find((slot) => slot.url)?.url ?? "" };
    const args = ["deploy", "--json", "--env", "dev", "--project", project];
    const { code, stdout, stderr } = await runProgram(this.program, args, { env, cwd: this.directory });
    if (code !== 0) throw new Error(`flow-run deploy ended with ${code}: ${stdout}${stderr}`);
    const { release } = JSON.parse(stdout) as { release: number };
    this.releases.set(release, version);
    return release;
  }

  /** Works on the database itself, past all faulty links. */
  async asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.postgres.url });
    client.on("error", () => {});
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** What both vendors were asked. */
  async asked(): Promise<SimulatedRequest[]> {
    const logs = Object.values(this.vendors).map(async (url) => (await fetch(`${url}/_requests`)).json());
    return ((await Promise.all(logs)) as { requests: SimulatedRequest[] }[]).flatMap(({ requests }) => requests);
  }

  /** What the database did. */
  story(): Promise<DatabaseStory> {
    return this.asAdmin(readStory);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.slots.map((slot) => slot.close()));
    await Promise.allSettled(this.programs.map((program) => program.kill()));
    await Promise.allSettled(this.links.map((link) => link.close()));
    await this.sink?.close();
    await this.postgres?.stop();
    await this.network.close();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  private async build(seed: string): Promise<void> {
    const { host } = this.network;
    const [postgres, sink, sick, healthy] = await Promise.all([
      startPostgres({ track_commit_timestamp: "on", max_connections: "200" }),
      startSink(host, seed),
      this.startVendor("sick", { ...SICK_VENDOR, seed: seededRandom(`${seed} vendor`).integer(0, 1e9) }),
      this.startVendor("healthy", HEALTHY_VENDOR),
    ]);
    this.postgres = postgres;
    this.sink = sink;
    this.vendors = { sick, healthy };
    await this.asAdmin(async (admin) => {
      for (const [name] of ROLES) await admin.query(`CREATE ROLE ${name} SUPERUSER LOGIN`);
    });
    for (const [name, role] of ROLES) this.slots.push(await this.slot(name, role));
    const [first, ...others] = this.slots as [ServerSlot, ...ServerSlot[]];
    await first.start();
    await this.asAdmin(installObserver);
    await Promise.all([this.deploy(), ...others.map((slot) => slot.start())]);
  }

  private async startVendor(name: string, script: object): Promise<string> {
    const file = path.join(this.directory, `${name}.json`);
    fs.writeFileSync(file, JSON.stringify(script));
    const args = ["simulator", "--json", "--host", this.network.host, "--port", "0", "--script", file];
    const program = startProgram(this.program, args, { cwd: this.directory });
    this.programs.push(program);
    return (JSON.parse(await program.said(/^\{.*"url".*\}$/)) as { url: string }).url;
  }

  private async slot(name: string, role: Role): Promise<ServerSlot> {
    const url = Object.assign(new URL(this.postgres.url), { username: name }).href;
    const link = await startFaultyProxy(url, { host: this.network.host });
    this.links.push(link);
    return new ServerSlot({
      name,
      role,
      program: this.program,
      directory: this.directory,
      link,
      site: await this.network.site(name, Number(new URL(link.url).port)),
      env: {
        FLOW_RUN_ADMIN_KEY: this.adminKey,
        FLOW_RUN_ALLOW_PRIVATE_NETWORK: "1",
        LOG_LEVEL: "warn",
        SIMULATOR_URL: this.vendors.sick,
        HEALTHY_SIMULATOR_URL: this.vendors.healthy,
        SINK_URL: this.sink.url,
      },
      onDeath: (who, words) => void this.deaths.push(`${who} ${words}`),
    });
  }
}
