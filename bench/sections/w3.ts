import type { ChildProcess } from "node:child_process";
import { type Bench, CONCURRENCIES } from "../bench.ts";
import { type DatabaseKind, type Installation, withInstallation } from "../installation.ts";
import { submit, untilEnded, w3 } from "../load.ts";
import { cpuMs, kill, postgresCpuMs, residentMb } from "../processes.ts";
import { KILLED_RUNS, survivesKill } from "../survives-kill.ts";

const WARM_UP = 500;

/** Three calls in a row, each result durable before the next call, in one process that accepts and executes. */
export async function measureW3(bench: Bench): Promise<void> {
  const { report } = bench;
  const { fetch, limit } = await bench.floors();
  const onPostgres = await measureOn(bench, "PostgreSQL");
  bench.w3OnPostgres = onPostgres;
  const ofFetch = onPostgres.rate / fetch;
  const ofLimit = onPostgres.rate / limit;
  report.add({
    what: "W3 on PostgreSQL, durable",
    measured: `${onPostgres.rate.toFixed(0)} runs/s`,
    value: onPostgres.rate,
    ratio: `${ofFetch.toFixed(2)} × plain fetch, ${ofLimit.toFixed(2)} × the limit`,
    goal: "≥ 1.5 × plain fetch, ≥ 0.4 × the limit",
    met: ofFetch >= 1.5 && ofLimit >= 0.4,
  });
  for (const row of onPostgres.rows) report.add(row);
  await showDurable(bench, "PostgreSQL");

  const embedded = await measureOn(bench, "embedded");
  const ofPostgres = embedded.rate / onPostgres.rate;
  report.add({
    what: "W3 on the embedded database, durable",
    measured: `${embedded.rate.toFixed(0)} runs/s`,
    value: embedded.rate,
    ratio: `${ofPostgres.toFixed(2)} × PostgreSQL, ${(embedded.rate / fetch).toFixed(2)} × plain fetch, ${(embedded.rate / limit).toFixed(2)} × the limit`,
    goal: "≥ 0.6 × PostgreSQL",
    met: ofPostgres >= 0.6,
  });
  for (const row of embedded.rows) report.add(row);
  await showDurable(bench, "embedded");
}

async function measureOn(bench: Bench, kind: DatabaseKind) {
  const { simulator, postgres } = bench;
  const { runs } = bench.options;
  const warmUp = Math.min(WARM_UP, runs);
  return withInstallation(bench, kind, async (installation) => {
    const server = await installation.serve("all");
    await installation.deploy();
    const idleMb = residentMb(server);
    await w3(installation.url, simulator, warmUp, 64);
    const cpu = () => ({
      ...cpuMs(server),
      database: kind === "PostgreSQL" ? postgresCpuMs(postgres.dataDir) : 0,
      simulator: cpuMs(simulator.process).main,
    });
    const before = cpu();
    let rate = 0;
    let accepted = 0;
    for (const concurrency of CONCURRENCIES) {
      const { acceptSeconds, totalSeconds } = await w3(installation.url, simulator, runs, concurrency);
      rate = Math.max(rate, runs / totalSeconds);
      accepted = Math.max(accepted, runs / acceptSeconds);
      console.error(`  ${kind} at ${concurrency}: ${(runs / totalSeconds).toFixed(0)} runs/s`);
    }
    const after = cpu();
    const micros = (part: keyof typeof after) => ((after[part] - before[part]) * 1000) / (CONCURRENCIES.length * runs);
    const perRun = (part: keyof typeof after) => micros(part).toFixed(0);
    const database = kind === "PostgreSQL" ? `, ${perRun("database")} µs PostgreSQL` : "";
    return {
      rate,
      cpuMicros: micros("main") + micros("other") + micros("database"),
      rows: [
        {
          what: `CPU of a W3 run, ${kind}`,
          measured: `${perRun("main")} µs main thread, ${perRun("other")} µs other threads${database}`,
          ratio: `the simulator took ${perRun("simulator")} µs for the same run`,
        },
        { what: `accepted while the same process executes, ${kind}`, measured: `${accepted.toFixed(0)} runs/s`, value: accepted },
        {
          what: `memory of the server, ${kind}`,
          measured: `${idleMb} MB after start, ${residentMb(server)} MB after ${CONCURRENCIES.length * runs + warmUp} runs`,
          value: residentMb(server),
        },
      ],
    };
  });
}

/** The check that peers have to pass too. */
async function showDurable(bench: Bench, kind: DatabaseKind): Promise<void> {
  await withInstallation(bench, kind, async (installation: Installation) => {
    let server: ChildProcess = await installation.serve("all");
    await installation.deploy();
    const shown = await survivesKill(bench.simulator, {
      async begin() {
        await submit(installation.url, "w3", KILLED_RUNS, KILLED_RUNS);
      },
      async crash() {
        const gone = new Promise((resolve) => server.once("exit", resolve));
        kill(server);
        await gone;
      },
      async resume() {
        server = await installation.serve("all");
        await untilEnded(installation.url);
      },
    });
    bench.report.add({ what: `flow-run, ${kind}, killed with ${KILLED_RUNS} runs in their third call`, ...shown });
  });
}
