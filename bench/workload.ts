import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { ADMIN_KEY } from "./processes.ts";

const HEADERS = { authorization: `Bearer ${ADMIN_KEY}`, "x-flow-run-environment": "dev", "content-type": "application/json" };

/** Runs jobs 0…n−1, `concurrency` at a time. */
export async function each(n: number, concurrency: number, job: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < n) await job(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

export interface Target {
  server: string;
  simulator: string;
}

/** Submits n runs and resolves with seconds: until all were accepted, and until all had ended. */
export async function w3(target: Target, n: number, concurrency: number): Promise<{ acceptSeconds: number; totalSeconds: number }> {
  const pool = new Pool(target.server, { connections: Math.min(concurrency, 128), pipelining: 1 });
  await fetch(`${target.simulator}/_requests`, { method: "DELETE" });
  const start = performance.now();
  await each(n, concurrency, async (index) => {
    const { statusCode, body } = await pool.request({
      path: "/v1/flows/w3/runs",
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ input: { text: `question ${index}` } }),
    });
    const text = await body.text();
    if (statusCode !== 202) throw new Error(`${statusCode} ${text}`);
  });
  const acceptSeconds = (performance.now() - start) / 1000;
  for (;;) {
    const { requests } = (await (await fetch(`${target.simulator}/_totals`)).json()) as { requests: number };
    if (requests >= 3 * n) break;
    await sleep(20);
  }
  while ((await unfinished(pool)) > 0) await sleep(10);
  const totalSeconds = (performance.now() - start) / 1000;
  await pool.close();
  return { acceptSeconds, totalSeconds };
}

async function unfinished(pool: Pool): Promise<number> {
  let sum = 0;
  for (const status of ["queued", "running"]) {
    const { body } = await pool.request({ path: `/v1/runs?status=${status}&limit=1`, method: "GET", headers: HEADERS });
    sum += ((await body.json()) as { runs: unknown[] }).runs.length;
  }
  return sum;
}

const question = (text: string) => JSON.stringify({ model: "bench", messages: [{ role: "user", content: `Answer briefly: ${text}` }] });
const textOf = (answer: unknown) => (answer as { choices: { message: { content: string } }[] }).choices[0]!.message.content;

/** The same three calls by plain `fetch`, with no durability at all. Seconds. */
export async function plainFetch(simulator: string, n: number, concurrency: number): Promise<number> {
  const start = performance.now();
  await each(n, concurrency, async (index) => {
    let text = `question ${index}`;
    for (let call = 0; call < 3; call++) {
      const response = await fetch(`${simulator}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: question(text),
      });
      text = textOf(await response.json());
    }
  });
  return (performance.now() - start) / 1000;
}

/** The same three calls over an undici pool: the most that this machine's client and simulator can do. Seconds. */
export async function undiciPool(simulator: string, n: number, concurrency: number): Promise<number> {
  const pool = new Pool(simulator, { connections: concurrency, pipelining: 1 });
  const start = performance.now();
  await each(n, concurrency, async (index) => {
    let text = `question ${index}`;
    for (let call = 0; call < 3; call++) {
      const { body } = await pool.request({
        path: "/v1/chat/completions",
        method: "POST",
        headers: { "content-type": "application/json" },
        body: question(text),
      });
      text = textOf(await body.json());
    }
  });
  const seconds = (performance.now() - start) / 1000;
  await pool.close();
  return seconds;
}

/** Milliseconds from submit to the request's arrival at the LLM, one run at a time on an idle system. Both clocks are this machine's. */
export async function submitToCall(target: Target, n: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < n; index++) {
    await fetch(`${target.simulator}/_requests`, { method: "DELETE" });
    const sentAt = Date.now();
    const started = performance.timeOrigin + performance.now();
    const response = await fetch(`${target.server}/v1/flows/answer/runs`, {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ input: { text: `idle ${sentAt} ${index}` } }),
    });
    const { id } = (await response.json()) as { id: string };
    await fetch(`${target.server}/v1/runs/${id}?wait=10`, { headers: HEADERS });
    const { requests } = (await (await fetch(`${target.simulator}/_requests`)).json()) as { requests: { at: string }[] };
    times.push(Date.parse(requests[0]!.at) - started);
    await sleep(20);
  }
  return times.sort((a, b) => a - b);
}
