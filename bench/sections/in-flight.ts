import type { Bench } from "../bench.ts";
import { withInstallation } from "../installation.ts";
import { submit, untilAsked, untilEnded } from "../load.ts";
import { peakMb, residentMb } from "../processes.ts";

const GOAL_MB = 1024;

/** Memory of one worker process while many runs wait for their LLM at the same time. The worker's `--concurrency` is that number. */
export async function measureInFlight(bench: Bench): Promise<void> {
  const { simulator, report } = bench;
  const { inFlight } = bench.options;
  // Long enough for the last run to arrive before the first is answered, at 250 a second.
  const latencySeconds = Math.max(5, Math.ceil(inFlight / 250));
  try {
    await withInstallation(bench, "PostgreSQL", async (installation) => {
      await installation.serve("api");
      await installation.deploy();
      const worker = await installation.serve("worker", inFlight);
      const idleMb = residentMb(worker);
      await simulator.setLatency(`${latencySeconds}s`);
      await simulator.forget();
      const start = performance.now();
      await submit(installation.url, "answer", inFlight, 128);
      await untilAsked(simulator, inFlight);
      const seconds = (performance.now() - start) / 1000;
      if (seconds >= latencySeconds)
        throw new Error(`it took ${seconds.toFixed(0)} s to get ${inFlight} runs in flight: the first have ended`);
      const inFlightMb = residentMb(worker);
      await untilEnded(installation.url);
      const peak = peakMb(worker);
      report.add({
        what: `${inFlight} runs in flight in one worker process`,
        measured: `${inFlightMb} MB, at most ${peak} MB until all had ended`,
        value: peak,
        ratio: `${idleMb} MB before; all in flight after ${seconds.toFixed(1)} s`,
        goal: "≤ 1 GB",
        met: peak <= GOAL_MB,
      });
    });
  } finally {
    await simulator.setLatency("0ms");
  }
}
