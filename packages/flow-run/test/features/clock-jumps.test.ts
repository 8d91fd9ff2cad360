import { describe, expect } from "vitest";
import { type Installation, type Server, test } from "../support/installation.ts";

/** Machines whose clocks are an hour ahead, an hour behind, or jump. What is early and what is late is the database's to say; nobody else's time counts. */

const HOUR_MS = 3_600_000;

const FILES = {
  "flow-run.yaml": `name: clocks
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini, retries: 0, timeout: 60s, price: { input: 0.25, output: 2.00 } } }
`,
  "prompts/ask.prompt": "---\ninput: { schema: { text: string } }\n---\n{{text}}\n",
  "flows/rests.yaml": `input: { text: string }
steps:
  - { id: before, run: ask, with: { text: "\${{ input.text }}" } }
  - { id: rest, wait: { for: 6s } }
  - { id: after, run: ask, with: { text: "after \${{ input.text }}" } }
limits: { duration: 5m }
`,
  "flows/asks.yaml": `input: { text: string }
steps:
  - { id: only, run: ask, with: { text: "\${{ input.text }}" } }
`,
  "flows/hurries.yaml": `input: { text: string }
steps:
  - { id: only, run: ask, with: { text: "\${{ input.text }}" } }
limits: { duration: 3s }
`,
  "flows/signed.yaml": `input: { text: string }
steps:
  - { id: approval, wait: { signal: approval, timeout: 6s } }
limits: { duration: 5m }
`,
};

/** Longer than the lease of a run. */
const SCRIPT = {
  rules: [
    { when: { contains: "slowly" }, latency: "12s" },
    { when: { contains: "never" }, latency: "50s" },
  ],
};

function workerOff(installation: Installation, shiftMs: number): Promise<Server> {
  const preload = new URL("../support/shifted-clock.ts", import.meta.url).href;
  return installation.startServer({ role: "worker", env: { NODE_OPTIONS: `--import ${preload}`, CLOCK_SHIFT_MS: String(shiftMs) } });
}

/** Milliseconds between two times that the database set. */
function lasted(run: { createdAt: string; finishedAt: string | null }): number {
  return Date.parse(run.finishedAt!) - Date.parse(run.createdAt);
}

describe.concurrent("workers whose clocks are wrong", { timeout: 180_000 }, () => {
  test("keep each other's leases, and rests as long as they were asked for, also when their clocks jump", async ({ install }) => {
    const installation = await install({ database: "postgres", files: FILES, script: SCRIPT });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const workers = await Promise.all([workerOff(installation, HOUR_MS), workerOff(installation, -HOUR_MS)]);
    const numbers = [...Array(10).keys()];
    const slow = await Promise.all(numbers.map((n) => installation.submit(`slow-${n}`, { text: `slowly ${n}` }, "asks")));
    const resting = await Promise.all(numbers.map((n) => installation.submit(`rest-${n}`, { text: `soon ${n}` }, "rests")));
    await installation.askedTimes(20);
    for (const worker of workers) worker.signal("SIGUSR2");

    for (const id of resting) {
      const run = await installation.ended(id);
      expect(run).toMatchObject({ status: "succeeded", usage: { calls: 2 } });
      expect(lasted(run)).toBeGreaterThanOrEqual(6_000);
      expect(lasted(run)).toBeLessThan(20_000);
    }
    for (const id of slow) {
      expect(await installation.ended(id)).toMatchObject({ status: "succeeded", usage: { calls: 1 } });
      expect((await installation.steps(id))[0]!.attempts.map((attempt) => attempt.status)).toEqual(["succeeded"]);
    }
    for (const worker of workers) expect(worker.exit()).toBe(null);
  });

  for (const [name, shiftMs] of [
    ["ahead", HOUR_MS],
    ["behind", -HOUR_MS],
  ] as const) {
    test(`by an hour ${name} end runs at their deadline, neither before nor after it`, async ({ install }) => {
      const installation = await install({ database: "postgres", files: FILES, script: SCRIPT });
      await installation.startServer({ role: "api" });
      await installation.deploy();
      await workerOff(installation, shiftMs);
      const [late, unsigned, rests] = await Promise.all([
        installation.submit("late", { text: "never" }, "hurries"),
        installation.submit("unsigned", { text: "x" }, "signed"),
        installation.submit("rests", { text: "soon" }, "rests"),
      ]);

      const cutShort = await installation.ended(late);
      expect(cutShort).toMatchObject({ status: "failed", error: { message: expect.stringContaining("limit of 3000 ms") } });
      expect(lasted(cutShort)).toBeGreaterThanOrEqual(2_900);
      expect(lasted(cutShort)).toBeLessThan(15_000);
      const timedOut = await installation.ended(unsigned);
      expect(timedOut).toMatchObject({ status: "failed", error: { code: "wait-timeout" } });
      expect(lasted(timedOut)).toBeGreaterThanOrEqual(6_000);
      expect(await installation.ended(rests)).toMatchObject({ status: "succeeded" });
    });
  }
});
