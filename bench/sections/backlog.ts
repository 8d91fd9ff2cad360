import { setTimeout as sleep } from "node:timers/promises";
import { openPostgres, openStore } from "../../packages/flow-run/src/store/index.ts";
import { newRun } from "../../packages/flow-run/test/support/store-fixtures.ts";
import type { Bench } from "../bench.ts";
import { withInstallation } from "../installation.ts";
import { stop } from "../processes.ts";

const GOAL = 0.9;
const ROUNDS = 3;
/** Runs that are dispatched before the clock starts, and that stay queued when it stops. */
const MARGIN = 1_500;

/** How fast a worker takes runs of one call from a long queue, against a queue that holds little more than what is measured. */
export async function measureBacklog(bench: Bench): Promise<void> {
  const { backlog, runs } = bench.options;
  const short = await dispatchRate(bench, runs, 0);
  const long = await dispatchRate(bench, runs, backlog);
  bench.report.add({
    what: "dispatch rate from a short queue (runs of one call)",
    measured: `${short.rate.toFixed(0)} runs/s`,
    value: short.rate,
  });
  bench.report.add({
    what: `dispatch rate with ${backlog} runs queued`,
    measured: `${long.rate.toFixed(0)} runs/s`,
    value: long.rate,
    ratio: `${(long.rate / short.rate).toFixed(2)} ×; filled in ${long.fillSeconds.toFixed(0)} s`,
    goal: `≥ ${GOAL} ×`,
    met: long.rate / short.rate >= GOAL,
  });
}

/** The best of some rounds, each with a worker that has just started. */
async function dispatchRate(bench: Bench, runs: number, backlog: number): Promise<{ rate: number; fillSeconds: number }> {
  const { simulator } = bench;
  let rate = 0;
  let fillSeconds = 0;
  await withInstallation(bench, "PostgreSQL", async (installation) => {
    const api = await installation.serve("api");
    await installation.deploy();
    // Nobody else may keep statistics fresh or look after the queue.
    await stop(api);
    fillSeconds += await fill(installation.databaseUrl!, backlog);
    for (let round = 0; round < ROUNDS; round++) {
      if (backlog === 0 || round > 0) await fill(installation.databaseUrl!, runs + 2 * MARGIN);
      await simulator.forget();
      const worker = await installation.serve("worker");
      const start = await whenAsked(simulator, MARGIN);
      const end = await whenAsked(simulator, start.requests + runs);
      rate = Math.max(rate, (end.requests - start.requests) / ((end.at - start.at) / 1000));
      await stop(worker);
    }
  });
  return { rate, fillSeconds };
}

/** Queues runs as `POST /v1/flows/answer/runs` does, without HTTP: through the same store, so by the same statements. Resolves with seconds. */
async function fill(connectionString: string, count: number): Promise<number> {
  const start = performance.now();
  const database = await openPostgres({ connectionString });
  const store = await openStore({ database, onTrouble: console.error });
  for (let left = count; left > 0; left -= 5_000) {
    const runs = Array.from({ length: Math.min(5_000, left) }, (_, index) =>
      newRun({ flow: "answer", input: { text: `question ${left - index}` } }),
    );
    await Promise.all(runs.map((run) => store.submitRun(run)));
  }
  await store.close();
  await database.close();
  return (performance.now() - start) / 1000;
}

async function whenAsked(simulator: Bench["simulator"], requests: number): Promise<{ at: number; requests: number }> {
  for (const until = Date.now() + 300_000; Date.now() < until; await sleep(10)) {
    const now = await simulator.requests();
    if (now >= requests) return { at: performance.now(), requests: now };
  }
  throw new Error(`the simulator got fewer than ${requests} requests in 300 s`);
}
