// Measures the durable engine against the same LLM calls without durability, in one pass on one machine. `npm run bench`
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../packages/flow-run/test/support/postgres-server.ts";
import { answers, cpuMs, done, flowRun, freePort, postgresCpuMs, ROOT, residentMb, stop, stopAll } from "./processes.ts";
import { plainFetch, submitToCall, type Target, undiciPool, w3 } from "./workload.ts";

const N = Number(process.env.BENCH_RUNS ?? 3_000);
const CONCURRENCIES = [64, 256, 1_000];

interface Row {
  what: string;
  value: string;
  ratio?: string;
}
const rows: Row[] = [];
const rate = (seconds: number, n = N) => n / seconds;
const best = (values: number[]) => Math.max(...values);

const postgres = await startPostgres();
try {
  await measure();
} finally {
  stopAll();
  await postgres.stop();
}

async function measure(): Promise<void> {
  const simulatorPort = await freePort();
  const simulator = `http://127.0.0.1:${simulatorPort}`;
  const simulating = flowRun(["simulator", "--port", String(simulatorPort)]);
  await answers(`${simulator}/_totals`);

  await plainFetch(simulator, 300, 64);
  const fetchRates: number[] = [];
  const poolRates: number[] = [];
  for (const concurrency of CONCURRENCIES) {
    fetchRates.push(rate(await plainFetch(simulator, N, concurrency)));
    poolRates.push(rate(await undiciPool(simulator, N, concurrency)));
  }
  const floor = best(fetchRates);
  const limit = best(poolRates);
  rows.push(
    { what: "plain fetch, no durability", value: `${floor.toFixed(0)} runs/s` },
    { what: "undici pool, no durability (the limit)", value: `${limit.toFixed(0)} runs/s` },
  );

  for (const kind of ["PostgreSQL", "embedded"] as const) {
    const dataDir = await mkdtemp(join(tmpdir(), "flow-run-bench-"));
    const port = await freePort();
    const target: Target = { server: `http://127.0.0.1:${port}`, simulator };
    const env = {
      SIMULATOR_URL: `${simulator}/v1`,
      FLOW_RUN_URL: target.server,
      DATABASE_URL: kind === "PostgreSQL" ? postgres.url : undefined,
    };
    const server = flowRun(["server", "--port", String(port), "--data-dir", dataDir], env);
    await answers(`${target.server}/readyz`);
    await done(flowRun(["deploy", "--env", "dev", "--project", join(ROOT, "bench/project")], env));
    const idleMb = residentMb(server);
    await w3(target, 500, 64);
    const idle = await submitToCall(target, 60);
    const rates: number[] = [];
    const accepts: number[] = [];
    const cpu = () => ({
      ...cpuMs(server),
      database: kind === "PostgreSQL" ? postgresCpuMs(postgres.dataDir) : 0,
      simulator: cpuMs(simulating).main,
    });
    const before = cpu();
    for (const concurrency of CONCURRENCIES) {
      const { acceptSeconds, totalSeconds } = await w3(target, N, concurrency);
      rates.push(rate(totalSeconds));
      accepts.push(rate(acceptSeconds));
      console.error(`${kind} at ${concurrency}: ${rate(totalSeconds).toFixed(0)} runs/s, accepted ${rate(acceptSeconds).toFixed(0)}/s`);
    }
    const after = cpu();
    const perRun = (part: keyof typeof after) => (((after[part] - before[part]) * 1000) / (CONCURRENCIES.length * N)).toFixed(0);
    const w3Rate = best(rates);
    const quantile = (q: number) => idle[Math.min(idle.length - 1, Math.floor(idle.length * q))]!.toFixed(1);
    rows.push(
      {
        what: `W3 on ${kind}, durable`,
        value: `${w3Rate.toFixed(0)} runs/s`,
        ratio: `${(w3Rate / floor).toFixed(2)} × plain fetch, ${(w3Rate / limit).toFixed(2)} × the limit`,
      },
      {
        what: `CPU of a W3 run on ${kind}`,
        value: `${perRun("main")} µs main thread, ${perRun("other")} µs other threads${kind === "PostgreSQL" ? `, ${perRun("database")} µs PostgreSQL` : ""}`,
        ratio: `the simulator took ${perRun("simulator")} µs for the same runs`,
      },
      { what: `accepted on ${kind} while runs execute`, value: `${best(accepts).toFixed(0)} runs/s` },
      { what: `submit → LLM request on ${kind}, idle`, value: `p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms` },
      { what: `memory of the server on ${kind}`, value: `${idleMb} MB after start, ${residentMb(server)} MB after ${3 * N + 560} runs` },
    );
    await stop(server);
    await rm(dataDir, { recursive: true, force: true });
  }

  const [help, node] = [timed(["packages/flow-run/bin/flow-run.js", "--help"]), timed(["-e", "0"])];
  rows.push({
    what: "flow-run --help",
    value: `${help.toFixed(0)} ms`,
    ratio: `${(help / node).toFixed(2)} × node -e 0 (${node.toFixed(0)} ms)`,
  });

  console.log(
    `\nNode ${process.versions.node}, ${cpus().length} × ${cpus()[0]!.model}, W3 = three LLM calls in a row over HTTP, ${N} runs, best of concurrency ${CONCURRENCIES.join(", ")}\n`,
  );
  console.log("| what | measured | ratio |\n|---|---|---|");
  for (const row of rows) console.log(`| ${row.what} | ${row.value} | ${row.ratio ?? ""} |`);
}

/** Median milliseconds of a whole process. */
function timed(args: string[]): number {
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now();
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: "ignore" });
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return times[7]!;
}
