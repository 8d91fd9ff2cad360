import { type Bench, CONCURRENCIES } from "../bench.ts";
import { type DatabaseKind, withInstallation } from "../installation.ts";
import { w3 } from "../load.ts";
import { cpuMs, postgresCpuMs, residentMb } from "../processes.ts";

const WARM_UP = 500;

/** Three calls in a row, each result durable before the next call, in one process that accepts and executes. */
export async function measureW3(bench: Bench): Promise<void> {
  const { fetch, limit } = await bench.floors();
  let onPostgres = 0;
  for (const kind of ["PostgreSQL", "embedded"] as const) {
    const rate = await measureOn(bench, kind);
    const ofFetch = rate / fetch;
    const ofLimit = rate / limit;
    bench.report.add({
      what: `W3 on ${kind === "PostgreSQL" ? "PostgreSQL" : "the embedded database"}, durable`,
      measured: `${rate.toFixed(0)} runs/s`,
      value: rate,
      ratio: `${ofFetch.toFixed(2)} × plain fetch, ${ofLimit.toFixed(2)} × the limit`,
      ...(kind === "PostgreSQL" ? { goal: "≥ 1.5 × plain fetch, ≥ 0.4 × the limit", met: ofFetch >= 1.5 && ofLimit >= 0.4 } : {}),
    });
    if (kind === "PostgreSQL") onPostgres = bench.w3OnPostgres = rate;
    else
      bench.report.add({
        what: "W3 embedded against PostgreSQL",
        measured: `${(rate / onPostgres).toFixed(2)} ×`,
        value: rate / onPostgres,
        goal: "≥ 0.6 ×",
        met: rate / onPostgres >= 0.6,
      });
  }
}

async function measureOn(bench: Bench, kind: DatabaseKind): Promise<number> {
  const { simulator, postgres, report } = bench;
  const { runs } = bench.options;
  let best = 0;
  await withInstallation(bench, kind, async (installation) => {
    const server = await installation.serve("all");
    await installation.deploy();
    const idleMb = residentMb(server);
    await w3(installation.url, simulator, Math.min(WARM_UP, runs), 64);
    const cpu = () => ({
      ...cpuMs(server),
      database: kind === "PostgreSQL" ? postgresCpuMs(postgres.dataDir) : 0,
      simulator: cpuMs(simulator.process).main,
    });
    const before = cpu();
    let accepted = 0;
    for (const concurrency of CONCURRENCIES) {
      const { acceptSeconds, totalSeconds } = await w3(installation.url, simulator, runs, concurrency);
      best = Math.max(best, runs / totalSeconds);
      accepted = Math.max(accepted, runs / acceptSeconds);
      console.error(
        `  ${kind} at ${concurrency}: ${(runs / totalSeconds).toFixed(0)} runs/s, accepted ${(runs / acceptSeconds).toFixed(0)}/s`,
      );
    }
    const after = cpu();
    const perRun = (part: keyof typeof after) => (((after[part] - before[part]) * 1000) / (CONCURRENCIES.length * runs)).toFixed(0);
    const database = kind === "PostgreSQL" ? `, ${perRun("database")} µs PostgreSQL` : "";
    report.add({
      what: `CPU of a W3 run, ${kind}`,
      measured: `${perRun("main")} µs main thread, ${perRun("other")} µs other threads${database}`,
      ratio: `the simulator took ${perRun("simulator")} µs for the same run`,
    });
    report.add({ what: `accepted while runs execute, ${kind}`, measured: `${accepted.toFixed(0)} runs/s`, value: accepted });
    report.add({
      what: `memory of the server, ${kind}`,
      measured: `${idleMb} MB after start, ${residentMb(server)} MB after ${CONCURRENCIES.length * runs + Math.min(WARM_UP, runs)} runs`,
      value: residentMb(server),
    });
  });
  return best;
}
