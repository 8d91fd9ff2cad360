import { type Bench, CONCURRENCIES } from "../bench.ts";
import { withInstallation } from "../installation.ts";
import { w3 } from "../load.ts";
import { cpuMs } from "../processes.ts";

/** W3 with one process that accepts and one that executes, so that both cores are used by JavaScript. */
export async function measureSplit(bench: Bench): Promise<void> {
  const { simulator, report } = bench;
  const { runs } = bench.options;
  const { fetch, limit } = await bench.floors();
  await withInstallation(bench, "PostgreSQL", async (installation) => {
    const api = await installation.serve("api");
    await installation.deploy();
    const worker = await installation.serve("worker");
    await w3(installation.url, simulator, Math.min(500, runs), 64);
    const before = [cpuMs(api).main, cpuMs(worker).main] as const;
    let best = 0;
    let accepted = 0;
    for (const concurrency of CONCURRENCIES) {
      const { acceptSeconds, totalSeconds } = await w3(installation.url, simulator, runs, concurrency);
      best = Math.max(best, runs / totalSeconds);
      accepted = Math.max(accepted, runs / acceptSeconds);
    }
    const perRun = (ms: number) => ((ms * 1000) / (CONCURRENCIES.length * runs)).toFixed(0);
    report.add({
      what: "W3 on PostgreSQL, `--role api` and `--role worker`",
      measured: `${best.toFixed(0)} runs/s, accepted ${accepted.toFixed(0)}/s`,
      value: best,
      ratio: `${(best / fetch).toFixed(2)} × plain fetch, ${(best / limit).toFixed(2)} × the limit`,
    });
    report.add({
      what: "CPU of a W3 run, two processes",
      measured: `${perRun(cpuMs(api).main - before[0])} µs main thread of the api, ${perRun(cpuMs(worker).main - before[1])} µs of the worker`,
    });
  });
}
