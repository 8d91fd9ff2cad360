// The same three calls with no durability at all: what engines are compared with.
import { Pool } from "undici";
import { each } from "./load.ts";

const question = (text: string) => JSON.stringify({ model: "bench", messages: [{ role: "user", content: `Answer briefly: ${text}` }] });
const textOf = (answer: unknown) => (answer as { choices: { message: { content: string } }[] }).choices[0]!.message.content;

/** By plain `fetch`. Seconds. */
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

/** Over an undici pool: the most that this machine's client and simulator can do. Seconds. */
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
