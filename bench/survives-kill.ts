import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Order } from "./peers/contestant.ts";
import { contestant, kill } from "./processes.ts";
import type { Row } from "./report.ts";
import type { Simulator } from "./simulator.ts";

const RUNS = 40;
const PATIENCE_MS = 60_000;

/**
 * Shows that a contestant is durable: it is killed with SIGKILL while all its runs wait for their third call, and started again. Only those calls may be
 * made again; a call more is the result of a finished step that was not durable before the next call.
 */
export async function survivesKill(
  simulator: Simulator,
  file: string,
  order: Omit<Order, "task">,
): Promise<Pick<Row, "measured" | "value">> {
  const start = (task: Order["task"]) => {
    const child = contestant(file, { ...order, runs: RUNS, task });
    let complaint = "";
    child.stdout!.resume();
    child.stderr!.on("data", (chunk) => {
      complaint = (complaint + chunk).slice(-20_000);
    });
    return { child, ended: once(child, "exit"), complaint: () => complaint };
  };
  await simulator.forget();
  try {
    await simulator.setLatency("1s");
    const first = start("begin");
    for (const until = Date.now() + PATIENCE_MS; (await simulator.requests()) < 3 * RUNS; await sleep(5)) {
      if (Date.now() < until && first.child.exitCode === null) continue;
      kill(first.child);
      throw new Error(`did not reach the third calls: ${first.complaint().slice(-500)}`);
    }
    kill(first.child);
    await first.ended;
    await simulator.setLatency("0ms");
    const second = start("resume");
    const timer = setTimeout(() => kill(second.child), PATIENCE_MS);
    const [code] = await second.ended;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`did not continue its runs within ${PATIENCE_MS / 1000} s: ${second.complaint().slice(-500)}`);
  } finally {
    await simulator.setLatency("0ms");
  }
  const calls = await simulator.requests();
  const repeated = calls - 4 * RUNS;
  return {
    measured:
      repeated < 0
        ? `${-repeated} of ${RUNS} runs were not continued`
        : `${RUNS} of ${RUNS} runs ended, ${repeated} finished steps repeated (and the ${RUNS} calls under way)`,
    value: repeated,
  };
}
