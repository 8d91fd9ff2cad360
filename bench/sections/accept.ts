import type { Bench } from "../bench.ts";
import { blast } from "../blast.ts";
import { withInstallation } from "../installation.ts";
import { HEADERS } from "../load.ts";
import { cpuMs, postgresCpuMs } from "../processes.ts";

const GOAL = 5_000;
const ROUNDS = 3;

/** How many runs a process that executes none accepts: 202 after the run is committed. */
export async function measureAccept(bench: Bench): Promise<void> {
  const { accepts } = bench.options;
  await withInstallation(bench, "PostgreSQL", async (installation) => {
    const api = await installation.serve("api");
    await installation.deploy();
    const request = (index: number) => ({
      path: "/v1/flows/w3/runs",
      headers: HEADERS,
      body: JSON.stringify({ input: { text: `question ${index}` } }),
    });
    await blast(installation.url, Math.ceil(accepts / 10), request);
    const before = { api: cpuMs(api), database: postgresCpuMs(bench.postgres.dataDir), generator: process.cpuUsage() };
    let best = 0;
    for (let round = 0; round < ROUNDS; round++) best = Math.max(best, accepts / (await blast(installation.url, accepts, request)));
    const perRun = (ms: number) => ((ms * 1000) / (ROUNDS * accepts)).toFixed(0);
    const generator = process.cpuUsage(before.generator);
    bench.report.add({
      what: "accepted by one process on PostgreSQL (`--role api`, nobody executes)",
      measured: `${best.toFixed(0)} runs/s`,
      value: best,
      ratio:
        `${perRun(cpuMs(api).main - before.api.main)} µs main thread, ${perRun(cpuMs(api).other - before.api.other)} µs other threads, ` +
        `${perRun(postgresCpuMs(bench.postgres.dataDir) - before.database)} µs PostgreSQL, ${perRun((generator.user + generator.system) / 1000)} µs load generator`,
      goal: `≥ ${GOAL} runs/s`,
      met: best >= GOAL,
    });
  });
}
