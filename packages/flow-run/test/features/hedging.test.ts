import { describe, expect } from "vitest";
import { test } from "../support/installation.ts";

const files = (after: string) => ({
  "flow-run.yaml": `name: hedged
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini, retries: 0, timeout: 60s, hedge: { after: ${after} }, price: { input: 1, output: 1 } } }
`,
  "prompts/ask.prompt": "---\ninput: { schema: { text: string } }\n---\n{{text}}\n",
});

/** The first request to each question gets no answer for a long time. */
const SLOW_AT_FIRST = { rules: [{ when: { attempt: 1, contains: "slow" }, latency: { min: "50s", max: "50s" } }] };

describe("a hedged model", { timeout: 120_000 }, () => {
  test("is asked again when its answer is late, and both requests are on record", async ({ install }) => {
    const installation = await install({ database: "pglite", files: files("300ms"), script: SLOW_AT_FIRST });
    await installation.startServer();
    await installation.deploy();
    const run = await installation.ended(await installation.submit("slow", { text: "a slow one" }, "ask"), 30_000);
    expect(run).toMatchObject({ status: "succeeded", usage: { calls: 2 }, unpricedCalls: 1, costUsd: null });
    const [step] = await installation.steps(run.id);
    expect(step!.attempts).toMatchObject([
      { number: 1, status: "failed", usage: null, costUsd: null, error: { code: "aborted" } },
      { number: 2, status: "succeeded" },
    ]);
    expect((await installation.asked()).map(({ attempt }) => attempt)).toEqual(step!.attempts.map(({ id }) => id));
  });

  test("is asked once when its answer comes in time", async ({ install }) => {
    const installation = await install({ database: "pglite", files: files("20s"), script: SLOW_AT_FIRST });
    await installation.startServer();
    await installation.deploy();
    const run = await installation.ended(await installation.submit("quick", { text: "a quick one" }, "ask"));
    expect(run).toMatchObject({ status: "succeeded", usage: { calls: 1 }, unpricedCalls: 0 });
  });
});
