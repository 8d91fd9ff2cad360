import type { Bench } from "../bench.ts";
import { type Installation, withInstallation } from "../installation.ts";
import { submit, untilAsked, untilEnded } from "../load.ts";
import { peakMb, residentMb } from "../processes.ts";

const GOAL_MB = 1024;

/** Memory of one worker process while many runs wait for their LLM at the same time. The worker's `--concurrency` is that number. */
export async function measureInFlight(bench: Bench): Promise<void> {
  const { inFlight } = bench.options;
  // The last run must begin before the first is answered: at 250 runs a second, or on a busier machine at 100.
  for (const latencySeconds of [Math.max(5, Math.ceil(inFlight / 250)), Math.max(10, Math.ceil(inFlight / 100))]) {
    const held = await withInstallation(bench, "PostgreSQL", (installation) => hold(bench, installation, latencySeconds));
    if (held) return;
  }
  throw new Error("fewer than 100 runs a second came into flight: the first had ended before the last began");
}

/** false: the first runs had ended before the last began. */
async function hold({ simulator, report, options }: Bench, installation: Installation, latencySeconds: number): Promise<boolean> {
  const { inFlight } = options;
  await installation.serve("api");
  await installation.deploy();
  const worker = await installation.serve("worker", inFlight);
  const idleMb = residentMb(worker);
  await simulator.forget();
  await simulator.setLatency(`${latencySeconds}s`);
  try {
    const start = performance.now();
    await submit(installation.url, "answer", inFlight, 128);
    await untilAsked(simulator, inFlight);
    const seconds = (performance.now() - start) / 1000;
    if (seconds >= latencySeconds) return false;
    const inFlightMb = residentMb(worker);
    await untilEnded(installation.url);
    report.add({
      what: `${inFlight} runs in flight in one worker process`,
      measured: `${inFlightMb} MB, at most ${peakMb(worker)} MB until all had ended`,
      value: peakMb(worker),
      ratio: `${idleMb} MB before; all in flight after ${seconds.toFixed(1)} s`,
      goal: "≤ 1 GB",
      met: peakMb(worker) <= GOAL_MB,
    });
    return true;
  } finally {
    await simulator.setLatency("0ms");
  }
}
