// What callers of flow-run do: submit runs over HTTP, and wait for their ends.
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { ADMIN_KEY } from "./processes.ts";
import type { Simulator } from "./simulator.ts";

export const HEADERS = { authorization: `Bearer ${ADMIN_KEY}`, "x-flow-run-environment": "dev", "content-type": "application/json" };

/** Nothing happens for so long: something is wrong. */
const STALLED_MS = 60_000;

/** Runs jobs 0…n−1, `concurrency` at a time. */
export async function each(n: number, concurrency: number, job: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < n) await job(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

/** Submits n runs of a flow over `concurrency` lanes of at most 128 connections. Resolves when all are accepted, with seconds. */
export async function submit(server: string, flow: "w3" | "answer", n: number, concurrency: number): Promise<number> {
  const pool = new Pool(server, { connections: Math.min(concurrency, 128), pipelining: 1 });
  const start = performance.now();
  await each(n, concurrency, async (index) => {
    const { statusCode, body } = await pool.request({
      path: `/v1/flows/${flow}/runs`,
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ input: { text: `question ${index}` } }),
    });
    const text = await body.text();
    if (statusCode !== 202) throw new Error(`a submit was answered with ${statusCode} ${text}`);
  });
  const seconds = (performance.now() - start) / 1000;
  await pool.close();
  return seconds;
}

/** Resolves when the simulator has got so many requests since it forgot. */
export async function untilAsked(simulator: Simulator, requests: number): Promise<void> {
  let most = -1;
  for (let changedAt = Date.now(); ; await sleep(20)) {
    const now = await simulator.requests();
    if (now >= requests) return;
    if (now > most) changedAt = Date.now();
    most = Math.max(most, now);
    if (Date.now() - changedAt > STALLED_MS)
      throw new Error(`the simulator got ${now} of ${requests} requests, and no more for ${STALLED_MS / 1000} s`);
  }
}

/** Resolves when no run is queued or under way. Rejects when one has failed. */
export async function untilEnded(server: string): Promise<void> {
  while ((await some(server, "queued")) || (await some(server, "running"))) await sleep(10);
  if (await some(server, "failed")) throw new Error("a run failed; start the server by hand to see why");
}

async function some(server: string, status: string): Promise<boolean> {
  const response = await fetch(`${server}/v1/runs?status=${status}&limit=1`, { headers: HEADERS });
  if (!response.ok) throw new Error(`GET /v1/runs was answered with ${response.status} ${await response.text()}`);
  return ((await response.json()) as { runs: unknown[] }).runs.length > 0;
}

/** n runs of W3 from the first submit to the last end. Seconds until all were accepted, and until all had ended. */
export async function w3(
  server: string,
  simulator: Simulator,
  n: number,
  concurrency: number,
): Promise<{ acceptSeconds: number; totalSeconds: number }> {
  await simulator.forget();
  const start = performance.now();
  const acceptSeconds = await submit(server, "w3", n, concurrency);
  await untilAsked(simulator, 3 * n);
  await untilEnded(server);
  return { acceptSeconds, totalSeconds: (performance.now() - start) / 1000 };
}
