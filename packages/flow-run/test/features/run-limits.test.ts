import type { Json } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { runLocally } from "../../src/compose.ts";
import type { EngineEvent } from "../../src/engine/index.ts";
import { openStore } from "../../src/store/index.ts";
import { compileFiles } from "../support/compile-files.ts";
import { describeEachDatabase } from "../support/describe-each-database.ts";
import { expireLease } from "../support/store-fixtures.ts";
import { WorkerHouse } from "../support/worker-house.ts";

/** One dollar a million tokens: a token costs 1,000 nano-dollars. `echo` may answer 50 tokens and is estimated at 62; it takes 10 and answers 5 or 40. */
const PROJECT = {
  "flow-run.yaml": `name: limits
providers:
  sim: { type: simulator, script: sim.yaml }
  unpriced: { type: openai-compatible, baseUrl: "http://127.0.0.1:9/v1" }
models:
  default: { use: sim/m, retries: 1, timeout: 100ms, price: { input: 1, output: 1 } }
  other: { use: unpriced/m, retries: 0 }
  hedged: { use: sim/m, retries: 0, hedge: { after: 10ms } }
`,
  "sim.yaml": `rules:
  - { when: { contains: "say never" }, latency: 1h, answer: never }
  - { when: { contains: "say long" }, latency: 20ms, answer: long, usage: { inputTokens: 10, outputTokens: 40 } }
  - { when: { contains: "say slowly" }, latency: 200ms, answer: slow, usage: { inputTokens: 10, outputTokens: 5 } }
  - { when: { contains: "say refused" }, error: { status: 400, message: refused } }
  - { when: { contains: "say" }, latency: 20ms, answer: A, usage: { inputTokens: 10, outputTokens: 5 } }
  - { when: { contains: "does not fit" }, answer: { score: 3 }, usage: { inputTokens: 10, outputTokens: 5 } }
  - { when: { contains: "rate" }, answer: nonsense, usage: { inputTokens: 10, outputTokens: 5 } }
`,
  "prompts/echo.prompt": "---\nconfig: { maxOutputTokens: 50 }\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "prompts/rate.prompt": "---\nconfig: { maxOutputTokens: 50 }\noutput: { schema: { score: integer } }\n---\nrate it.\n",
  "prompts/hedged.prompt": "---\nmodel: hedged\nconfig: { maxOutputTokens: 50 }\n---\nsay slowly.\n",
  "prompts/unpriced.prompt": "---\nmodel: other\n---\nsay it.\n",
};

const three = (text: string) => `steps:
  - id: each
    forEach: "\${{ ['x', 'y', 'z'] }}"
    run: echo
    with: { text: ${text} }
`;

async function run(workflow: string, more: { [path: string]: string } = {}, input: Json = {}) {
  const bundle = await compileFiles({ ...PROJECT, "flows/main.yaml": workflow, ...more });
  const events: EngineEvent[] = [];
  const { signal } = new AbortController();
  const result = await runLocally({ bundle, environment: "local", flow: "main", input, onEvent: (event) => events.push(event), signal });
  let underWay = 0;
  let most = 0;
  for (const event of events) {
    if (event.type === "attempt-started") most = Math.max(most, ++underWay);
    if (event.type === "attempt-ended") underWay--;
  }
  return { ...result, most };
}

describe("limits of a run", () => {
  it("refuse the call that could pass them, before it is made", async () => {
    const { run: refused, steps } = await run(`steps:
  - { id: one, run: echo, with: { text: a } }
  - { id: two, run: echo, with: { text: b } }
  - { id: three, run: echo, with: { text: c } }
limits: { costUsd: 0.00008 }`);
    expect(refused).toMatchObject({
      status: "failed",
      error: { code: "limit-exceeded", step: "three" },
      usage: { calls: 2 },
      costUsd: 0.00003,
    });
    expect(refused.error!.message).toMatch(/limits\.costUsd of main is \$0\.00008: \$0\.00003 spent, \$0 reserved .* up to \$0\.0000\d+\./);
    expect(steps.at(-1)).toMatchObject({ path: "three", status: "failed", attempts: [] });
  });

  it("let branches wait for each other that may not fit together, and go on when they do", async () => {
    const alone = await run(`${three("a")}limits: { tokens: 130 }`);
    expect(alone.run).toMatchObject({ status: "succeeded", usage: { calls: 3 } });
    expect(alone.most).toBe(2);
    expect((await run(`${three("a")}limits: { tokens: 1000 }`)).most).toBe(3);
  });

  it("are not passed by branches together", async () => {
    const { run: refused } = await run(`${three("long")}limits: { costUsd: 0.00013 }`);
    expect(refused).toMatchObject({ status: "failed", error: { code: "limit-exceeded" }, usage: { calls: 2 } });
    expect(refused.costUsd).toBeLessThanOrEqual(0.00013);
  });

  it("count retries of unknown cost as they were estimated, and refused requests not at all", async () => {
    const { run: unknown } = await run("steps:\n  - { id: one, run: echo, with: { text: never } }\nlimits: { tokens: 120 }");
    expect(unknown).toMatchObject({ status: "failed", error: { code: "limit-exceeded", step: "one" }, usage: { calls: 1 } });
    const { run: free } = await run(`steps:
  - { id: one, run: echo, with: { text: refused }, onError: continue }
  - { id: two, run: echo, with: { text: a } }
limits: { tokens: 70, costUsd: 0.00007 }`);
    expect(free).toMatchObject({ status: "succeeded", output: "A" });
  });

  it("count answers that are asked for again", async () => {
    const workflow = (tokens: number) => `steps:\n  - { id: one, run: rate }\nlimits: { tokens: ${tokens} }`;
    expect((await run(workflow(500))).run).toMatchObject({ output: { score: 3 }, usage: { calls: 2 } });
    expect((await run(workflow(110))).run).toMatchObject({ error: { code: "limit-exceeded", step: "one" }, usage: { calls: 1 } });
  });

  it("count a request that is sent again because its answer is late, and have it wait when it does not fit", async () => {
    const workflow = (tokens: number) => `steps:\n  - { id: one, run: hedged }\nlimits: { tokens: ${tokens} }`;
    expect((await run(workflow(200))).run).toMatchObject({ output: "slow", usage: { calls: 2 } });
    expect((await run(workflow(100))).run).toMatchObject({ output: "slow", usage: { calls: 1 } });
  });

  it("of a called workflow hold within those of its caller, which counts everything", async () => {
    const inner = { "flows/inner.yaml": `${three("long")}limits: { tokens: 130 }` };
    const caught = await run(
      `steps:
  - { id: first, run: inner, onError: continue }
  - { id: second, run: inner, onError: continue }
  - { id: last, run: echo, with: { text: a } }
limits: { tokens: 1000 }`,
      inner,
    );
    expect(caught.run).toMatchObject({ status: "succeeded", output: "A", usage: { calls: 5 } });
    expect(caught.steps.filter((step) => step.status === "failed").map((step) => step.error!.code)).toContain("limit-exceeded");
    const outer = await run(
      `steps:
  - { id: first, run: inner, onError: continue }
  - { id: second, run: inner }
limits: { tokens: 150 }`,
      inner,
    );
    expect(outer.run).toMatchObject({ error: { code: "limit-exceeded", step: "second.each[0]" }, usage: { calls: 2 } });
    expect(outer.run.error!.message).toContain("limits.tokens of main");
  });

  it("of duration hold for a called workflow, too", async () => {
    const { run: late } = await run("steps:\n  - { id: call, run: inner, onError: continue }\n  - { id: after, set: { went: on } }", {
      "flows/inner.yaml": "steps:\n  - { id: nap, wait: { for: 1h } }\nlimits: { duration: 30ms }",
    });
    expect(late).toMatchObject({ status: "succeeded", output: { went: "on" } });
  });

  it("on cost need a known price, and say so before anything is sent; limits on tokens do not", async () => {
    const { run: unknown } = await run("steps:\n  - { id: one, run: unpriced }\nlimits: { costUsd: 1 }");
    expect(unknown).toMatchObject({ status: "failed", error: { code: "unknown-price", step: "one" }, usage: { calls: 0 } });
    const { run: tokens } = await run("steps:\n  - { id: one, run: unpriced }\nlimits: { tokens: 2000 }");
    expect(tokens).toMatchObject({ error: { code: "provider-unreachable" }, usage: { calls: 1 } });
  });
});

describeEachDatabase("limits of a run that is taken over", (open) => {
  const flows = {
    "flow-run.yaml": PROJECT["flow-run.yaml"].replace("timeout: 100ms", "timeout: 1h"),
    "flows/main.yaml": `steps:
  - { id: first, run: inner }
  - { id: last, run: echo, with: { text: a } }
limits: { tokens: 190 }
`,
    "flows/inner.yaml": `steps:
  - { id: paid, run: echo, with: { text: long } }
  - { id: stuck, run: echo, with: { text: never } }
limits: { tokens: 120 }
`,
  };

  it("count what was spent before, and a call whose answer nobody saw as it was estimated", async () => {
    const database = await open();
    const store = await openStore({ database, onTrouble: () => {} });
    const house = await WorkerHouse.open(store, await compileFiles({ ...PROJECT, ...flows }));
    const id = await house.start("main");
    await house.told(id, "attempt-started", { path: "first.stuck" });
    const before = house.events.length;
    await expireLease(database, id);
    const ended = await house.ended(id);
    expect(house.events.slice(before).filter((event) => event.type === "attempt-started")).toEqual([]);
    expect(ended).toMatchObject({ status: "failed", usage: { calls: 2 }, error: { code: "limit-exceeded", step: "first.stuck" } });
    expect(ended.error!.message).toMatch(/^limits\.tokens of inner is 120 tokens: 1\d\d tokens spent, 0 tokens reserved/);
    const attempts = (await store.listSteps("dev", id))!.flatMap((step) => step.attempts);
    expect(attempts.map((attempt) => attempt.status)).toEqual(["succeeded", "unknown"]);
    await house.close();
    await store.close();
  });

  it("count its time from its first start", async () => {
    const database = await open();
    const store = await openStore({ database, onTrouble: () => {} });
    const timed = "steps:\n  - { id: stuck, run: echo, with: { text: never } }\nlimits: { duration: 30m }\n";
    const house = await WorkerHouse.open(store, await compileFiles({ ...PROJECT, ...flows, "flows/main.yaml": timed }));
    const id = await house.start("main");
    await house.told(id, "attempt-started"); // so it is not the first execution that ends it
    await database.query("UPDATE flow_run.run SET started_at = now() - interval '1 hour' WHERE id = $1", [id]);
    await expireLease(database, id);
    expect(await house.ended(id)).toMatchObject({ status: "failed", error: { code: "deadline" }, usage: { calls: 1 } });
    await house.close();
    await store.close();
  });
});
