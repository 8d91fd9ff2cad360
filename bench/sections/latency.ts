import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { withInstallation } from "../installation.ts";
import { HEADERS, w3 } from "../load.ts";

const GOAL_MS = 5;

/** From submit to the request's arrival at the LLM, one run at a time on an idle system. */
export async function measureLatency(bench: Bench): Promise<void> {
  for (const kind of ["PostgreSQL", "embedded"] as const) {
    await withInstallation(bench, kind, async (installation) => {
      await installation.serve("all");
      await installation.deploy();
      await w3(installation.url, bench.simulator, 200, 64);
      const times = await submitToCall(installation.url, bench.simulator.url, 100);
      const quantile = (q: number) => times[Math.min(times.length - 1, Math.floor(times.length * q))]!;
      bench.report.add({
        what: `submit → LLM request, idle, ${kind}`,
        measured: `p50 ${quantile(0.5).toFixed(1)} ms, p99 ${quantile(0.99).toFixed(1)} ms`,
        value: quantile(0.5),
        goal: `p50 ≤ ${GOAL_MS} ms`,
        met: quantile(0.5) <= GOAL_MS,
      });
    });
  }
}

/** Sorted milliseconds. Both clocks are this machine's; the simulator's has whole milliseconds. */
async function submitToCall(server: string, simulator: string, n: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < n; index++) {
    await fetch(`${simulator}/_requests`, { method: "DELETE" });
    const started = performance.timeOrigin + performance.now();
    const response = await fetch(`${server}/v1/flows/answer/runs`, {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ input: { text: `idle ${index}` } }),
    });
    const { id } = (await response.json()) as { id: string };
    await fetch(`${server}/v1/runs/${id}?wait=10`, { headers: HEADERS });
    const { requests } = (await (await fetch(`${simulator}/_requests`)).json()) as { requests: { at: string }[] };
    times.push(Date.parse(requests[0]!.at) - started);
    await sleep(20);
  }
  return times.sort((a, b) => a - b);
}
