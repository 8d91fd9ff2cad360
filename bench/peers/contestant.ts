// What all contestants share. One contestant is one process: it reads its order from BENCH_ORDER and prints its result as one line of JSON.
// The calls go over one undici pool, the cheapest HTTP client there is, so that what differs between contestants is how they make them durable.
import { readFileSync } from "node:fs";
import { Pool } from "undici";

export interface Order {
  /** `measure` the rate; `begin` runs, and be killed; `resume` what a killed process left behind. */
  task: "measure" | "begin" | "resume";
  simulator: string;
  /** An empty database on the PostgreSQL that all contestants share. */
  databaseUrl: string;
  /** An empty directory, for engines that keep their own files. */
  directory: string;
  runs: number;
  warmUpRuns: number;
  concurrencies: number[];
  /** No run is begun after so many seconds at one concurrency; the rate is that of the runs until then. */
  seconds: number;
}

/** Asks the LLM. Resolves with the text of its answer. */
export type Call = (text: string) => Promise<string>;

export interface Engine {
  /** Executes a durable run of three calls, each with the answer of the one before. Resolves with the last answer. */
  run(id: string, text: string): Promise<string>;
  /** Continues these runs, which another process had begun. Resolves when all have ended. */
  resume(ids: string[]): Promise<unknown>;
  close(): Promise<unknown>;
  /** A server besides this process, whose CPU time and memory count too. */
  serverPid?: number;
}

export interface Measured {
  rates: { concurrency: number; runs: number; seconds: number }[];
  cpuMicrosPerRun: number;
  residentMb: number;
}

export async function contest(open: (order: Order, call: Call) => Promise<Engine>): Promise<void> {
  const order = JSON.parse(process.env.BENCH_ORDER!) as Order;
  const pool = new Pool(order.simulator, { connections: Math.max(...order.concurrencies), pipelining: 1 });
  const engine = await open(order, (text) => ask(pool, text));
  const ids = Array.from({ length: order.runs }, (_, index) => `killed-${index}`);
  if (order.task === "measure") console.log(JSON.stringify(await measure(order, engine)));
  else if (order.task === "begin") await Promise.all(ids.map((id, index) => engine.run(id, `question ${index}`)));
  else await engine.resume(ids);
  await engine.close();
  process.exit(0);
}

async function ask(pool: Pool, text: string): Promise<string> {
  const { statusCode, body } = await pool.request({
    path: "/v1/chat/completions",
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "bench", messages: [{ role: "user", content: `Answer briefly: ${text}` }] }),
  });
  const answer = (await body.json()) as { choices: { message: { content: string } }[] };
  if (statusCode !== 200) throw new Error(`the simulator answered ${statusCode}`);
  return answer.choices[0]!.message.content;
}

async function measure(order: Order, engine: Engine): Promise<Measured> {
  await lanes(engine, "warm", order.warmUpRuns, 64, order.seconds);
  const cpuBefore = cpuMicros(engine.serverPid);
  const rates: Measured["rates"] = [];
  for (const concurrency of order.concurrencies) {
    const start = performance.now();
    const runs = await lanes(engine, `w${concurrency}`, order.runs, concurrency, order.seconds);
    rates.push({ concurrency, runs, seconds: (performance.now() - start) / 1000 });
  }
  const runs = rates.reduce((sum, rate) => sum + rate.runs, 0);
  return {
    rates,
    cpuMicrosPerRun: Math.round((cpuMicros(engine.serverPid) - cpuBefore) / runs),
    residentMb: Math.round((process.memoryUsage.rss() + residentBytes(engine.serverPid)) / 2 ** 20),
  };
}

/** Executes up to `count` runs, `concurrency` at a time. Resolves with how many there were. */
async function lanes(engine: Engine, name: string, count: number, concurrency: number, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let begun = 0;
  const lane = async () => {
    while (begun < count && performance.now() < until) {
      const index = begun++;
      const answer = await engine.run(`${name}-${index}`, `question ${index}`);
      if (typeof answer !== "string" || answer === "") throw new Error(`run ${name}-${index} ended with ${JSON.stringify(answer)}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return begun;
}

function cpuMicros(serverPid: number | undefined): number {
  const { user, system } = process.cpuUsage();
  if (serverPid === undefined) return user + system;
  const ticks = readFileSync(`/proc/${serverPid}/stat`, "utf8").split(") ").at(-1)!.split(" ").slice(11, 13);
  return user + system + ticks.reduce((sum, count) => sum + Number(count), 0) * 10_000;
}

function residentBytes(serverPid: number | undefined): number {
  if (serverPid === undefined) return 0;
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${serverPid}/status`, "utf8"))![1]) * 1024;
}
