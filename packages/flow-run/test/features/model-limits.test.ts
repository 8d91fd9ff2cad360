import net from "node:net";
import pg from "pg";
import { describe, expect, onTestFinished } from "vitest";
import { type Installation, test, until } from "../support/installation.ts";
import { startPostgres } from "../support/postgres-server.ts";

const ASK = "---\ninput: { schema: { text: string } }\n---\n{{text}}\n";

const project = (model: string, provider = "") => ({
  "flow-run.yaml": `name: limited
providers:
  wire: { type: openai-compatible, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1"${provider} }
models:
  default: { use: wire/small, retries: 0, timeout: 30s${model} }
  other: { use: wire/other, retries: 0, timeout: 30s }
`,
  "prompts/ask.prompt": ASK,
  "prompts/ask_other.prompt": ASK.replace("---\n", "---\nmodel: other\n"),
});

/** Two worker processes, neither of which can take all of sixty runs, and one process that takes requests, on one database. */
async function twoWorkers(installation: Installation) {
  await installation.startServer({ role: "api" });
  const workers = await Promise.all([1, 2].map(() => installation.startServer({ role: "worker", args: ["--concurrency", "30"] })));
  await installation.deploy();
  return workers;
}

async function connect(installation: Installation): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: installation.databaseUrl });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

interface Member {
  places: number;
  line: [number, number, number][];
}

/** What the processes know of a limit. */
async function limitState(client: pg.Client, key: string): Promise<{ version: number; members: Member[] }> {
  const { rows } = await client.query("SELECT version, state FROM flow_run.shared_limit WHERE key = $1", [key]);
  return rows.length === 0
    ? { version: 0, members: [] }
    : { version: Number(rows[0].version), members: Object.values(rows[0].state.members as { [id: string]: Member }) };
}

const submitMany = (installation: Installation, count: number, flow = "ask", prefix = flow) =>
  Promise.all(Array.from({ length: count }, (_, n) => installation.submit(`${prefix}-${n}`, { text: `${prefix} ${n}` }, flow)));

const cancel = (installation: Installation, id: string) => installation.request("POST", `/v1/runs/${id}/cancel`);

describe("limits that two workers share", { timeout: 180_000 }, () => {
  test("a minute's requests are sent once and not by each, the rest waits in line, and who waits can be cancelled", async ({ install }) => {
    const installation = await install({ database: "postgres", files: project(", limits: { requestsPerMinute: 12 }") });
    await twoWorkers(installation);
    const client = await connect(installation);
    const ids = await submitMany(installation, 60);
    await installation.askedTimes(12);
    let before = Number.POSITIVE_INFINITY;
    await until(
      async () => {
        const { version, members } = await limitState(client, "dev model default");
        if (members.filter(({ line }) => line.length > 0).length === 2) before = Math.min(before, version);
        return version > before + 8;
      },
      { what: "both workers have asked for more, again and again" },
    );
    expect(await installation.asked()).toHaveLength(12);

    const runs = await installation.allRuns();
    const waiting = runs.filter(({ status }) => status !== "succeeded");
    expect(waiting).toHaveLength(48);
    expect(new Set(waiting.map(({ status }) => status))).toEqual(new Set(["running"]));
    await Promise.all(waiting.map(({ id }) => cancel(installation, id)));
    const ended = await Promise.all(ids.map((id) => installation.ended(id)));
    expect(ended.filter(({ status }) => status === "cancelled")).toHaveLength(48);
    expect(ended.filter(({ status }) => status === "succeeded")).toHaveLength(12);
    await until(async () => (await limitState(client, "dev model default")).members.every(({ line }) => line.length === 0), {
      what: "nobody waits in line any more",
    });
    expect(await installation.asked()).toHaveLength(12);
  });

  test("no more requests are out at once than may be, also when one of them is killed, and its places come back", async ({ install }) => {
    const installation = await install({
      database: "postgres",
      files: project("", ", limits: { concurrency: 4 }"),
      script: { latency: "300ms" },
    });
    const workers = await twoWorkers(installation);
    const client = await connect(installation);
    const ids = await submitMany(installation, 60);
    await until(async () => (await limitState(client, "dev provider wire")).members.filter(({ places }) => places > 0).length === 2, {
      what: "both workers have places",
    });
    const asked = (await installation.asked()).length;
    await installation.askedTimes(asked + 12);
    await workers[0]!.kill();
    const ended = await Promise.all(ids.map((id) => installation.ended(id)));
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["succeeded"]));
    // Each request is out for at least 300 ms: the fifth cannot come before the first has its answer.
    const at = (await installation.asked()).map((request) => Date.parse(request.at));
    const spans = at.slice(4).map((time, index) => time - at[index]!);
    expect(Math.min(...spans)).toBeGreaterThanOrEqual(299);
    // All places were used: the fourth comes together with the first.
    expect(Math.min(...at.slice(3).map((time, index) => time - at[index]!))).toBeLessThan(300);
    await until(async () => (await limitState(client, "dev provider wire")).members.every(({ places }) => places === 0), {
      what: "all places are given back",
    });
  });

  test("no more requests are out at once than may be while the database crashes and comes back", async ({ install }) => {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.stop());
    const installation = await install({
      database: "postgres",
      databaseUrl: postgres.url,
      files: project(", limits: { concurrency: 3 }"),
      script: { latency: "300ms" },
    });
    await twoWorkers(installation);
    const ids = await submitMany(installation, 40);
    await installation.askedTimes(8);
    await postgres.restart("immediate");
    const ended = await Promise.all(ids.map((id) => installation.ended(id)));
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["succeeded"]));
    const at = (await installation.asked()).map((request) => Date.parse(request.at));
    expect(Math.min(...at.slice(3).map((time, index) => time - at[index]!))).toBeGreaterThanOrEqual(299);
  });

  test("models without limits cost no statement", async ({ install }) => {
    const installation = await install({ database: "postgres", files: project(", limits: { concurrency: 1 }") });
    await installation.startServer();
    await installation.deploy();
    const client = await connect(installation);
    const ids = await submitMany(installation, 20, "ask_other");
    await Promise.all(ids.map((id) => installation.ended(id)));
    expect((await client.query("SELECT key FROM flow_run.shared_limit")).rows).toEqual([]);
  });
});

describe("limits on the embedded database", { timeout: 180_000 }, () => {
  test("hold back requests without failing them, and their waiting is not part of an attempt's timeout", async ({ install }) => {
    const files = project(", limits: { concurrency: 1 }");
    files["flow-run.yaml"] = files["flow-run.yaml"].replace("timeout: 30s,", "timeout: 1500ms,");
    const installation = await install({ database: "pglite", files, script: { latency: "250ms" } });
    await installation.startServer();
    await installation.deploy();
    const ids = await submitMany(installation, 8);
    const ended = await Promise.all(ids.map((id) => installation.ended(id)));
    expect(ended.map(({ status }) => status)).toEqual(ids.map(() => "succeeded"));
    const at = (await installation.asked()).map((request) => Date.parse(request.at));
    expect(Math.min(...at.slice(1).map((time, index) => time - at[index]!))).toBeGreaterThanOrEqual(249);
  });
});

/** Takes connections and requests, and never answers. */
async function blackHole(): Promise<string> {
  const server = net.createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/v1`;
}

describe("a provider that is down", { timeout: 180_000 }, () => {
  const files = (url: string, model: string) => ({
    "flow-run.yaml": `name: apart
providers:
  dead: { type: openai-compatible, baseUrl: "${url}" }
  wire: { type: openai-compatible, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1" }
models:
  default: wire/small
  dead: { use: dead/small, ${model} }
`,
    "prompts/ask.prompt": ASK,
    "prompts/ask_dead.prompt": ASK.replace("---\n", "---\nmodel: dead\n"),
  });

  /** One run after the other. Returns the time that each took, in order of length. */
  async function canaries(installation: Installation, count: number, prefix: string): Promise<number[]> {
    const took: number[] = [];
    for (let n = 0; n < count; n++) {
      const began = performance.now();
      const id = await installation.submit(`${prefix}-${n}`, { text: `${prefix} ${n}` }, "ask");
      expect((await installation.ended(id)).status).toBe("succeeded");
      took.push(performance.now() - began);
    }
    return took.sort((a, b) => a - b);
  }

  const nobody = (): Promise<string> => Promise.resolve("http://127.0.0.1:9/v1");

  test.for<[what: string, count: number, open: () => Promise<string>, model: string]>([
    ["hangs", 500, blackHole, "timeout: 90s"],
    ["refuses connections", 100, nobody, "retries: 20"],
  ])("and %s holds up no run of another one, with %i runs on it", async ([, count, open, model], { install }) => {
    const installation = await install({ database: "postgres", files: files(await open(), model) });
    await installation.startServer();
    await installation.deploy();
    const before = await canaries(installation, 20, "before");
    const stuck = await submitMany(installation, count, "ask_dead");
    const during = await canaries(installation, 20, "during");
    const p95 = (times: number[]) => times[Math.floor(times.length * 0.95)]!;
    // Far below the minute that an attempt may take; a machine under load has its hiccups.
    expect(p95(during)).toBeLessThan(Math.max(1_500, 10 * p95(before)));
    expect((await installation.run(stuck[0]!)).status).toBe("running");
  });

  test("and hangs does not keep a worker's places", async ({ install }) => {
    const installation = await install({ database: "postgres", files: files(await blackHole(), "timeout: 90s") });
    await installation.startServer({ args: ["--concurrency", "10"] });
    await installation.deploy();
    await submitMany(installation, 15, "ask_dead");
    const id = await installation.submit("after them", { text: "hello" }, "ask");
    expect((await installation.ended(id)).status).toBe("succeeded");
  });
});
