import type { Json, Step } from "@flow-run/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runLocally } from "../../src/compose.ts";
import type { Database } from "../../src/store/database/index.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import { compileFiles } from "../support/compile-files.ts";
import { describeEachDatabase, temporaryDirectory } from "../support/describe-each-database.ts";
import { test } from "../support/installation.ts";
import { WorkerHouse } from "../support/worker-house.ts";

const FILES = {
  "flow-run.yaml": `name: cache
providers: { sim: { type: simulator, script: sim.yaml }, down: { type: simulator, rules: [{ error: { status: 500 } }] } }
models:
  default: { use: sim/m, retries: 0, cache: 24h, price: { input: 1, output: 1 } }
  other: { use: sim/n, retries: 0, cache: 24h, price: { input: 1, output: 1 } }
  rescued: { use: down/m, fallback: [sim/m], retries: 0, cache: 24h }
  plain: { use: sim/m, retries: 0 }
`,
  "sim.yaml": `rules:
  - { when: { contains: "say boom" }, error: { status: 400, message: refused } }
  - { when: { contains: "say cut" }, answer: cu, finishReason: length }
  - { when: { contains: "does not fit" }, answer: { score: 3 } }
  - { when: { contains: "rate well" }, answer: { score: 9 } }
  - { when: { contains: "rate" }, answer: nonsense }
  - { when: { contains: "say" }, answer: said, usage: { inputTokens: 10, outputTokens: 5 } }
`,
  "prompts/echo.prompt": "---\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "prompts/warmer.prompt": "---\nconfig: { temperature: 1 }\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "prompts/other.prompt": "---\nmodel: other\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "prompts/fresh.prompt": "---\ncache: false\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "prompts/plain.prompt": "---\nmodel: plain\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "prompts/asked.prompt": "---\nmodel: plain\ncache: 1h\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "prompts/rescued.prompt": "---\nmodel: rescued\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "prompts/rate.prompt": "---\ninput: { schema: { how: string } }\noutput: { schema: { score: integer } }\n---\nrate {{how}}.\n",
  "flows/twice.yaml": `input: { text: string }
steps:
  - { id: one, run: echo, with: { text: "\${{ input.text }}" } }
  - { id: two, run: echo, with: { text: "\${{ input.text }}" } }
limits: { tokens: 1020 }
`,
};

describeEachDatabase("the cache of answers", (open) => {
  let database: Database;
  let store: Store;
  let looks = 0;
  let house: WorkerHouse;
  beforeAll(async () => {
    database = await open();
    store = await openStore({ database, onTrouble: () => {} });
    const { get } = store.cache;
    store.cache.get = (key) => {
      looks++;
      return get.call(store.cache, key);
    };
    house = await WorkerHouse.open(store, await compileFiles(FILES));
  });
  afterAll(async () => {
    await house.close();
    await store.close();
  });

  async function run(flow: string, input: Json) {
    const id = await house.start(flow, input);
    const ended = await house.ended(id);
    return { ...ended, attempts: (await store.listSteps("dev", id))!.flatMap((step: Step) => step.attempts) };
  }

  it("gives an answer again to the same request: marked, free, and without asking", async () => {
    const first = await run("echo", { text: "once" });
    expect(first).toMatchObject({ output: "said", usage: { calls: 1, cacheHits: 0 }, costUsd: 0.000015 });
    const second = await run("echo", { text: "once" });
    expect(second).toMatchObject({ status: "succeeded", output: "said", costUsd: 0, unpricedCalls: 0 });
    expect(second.usage).toEqual({
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      calls: 0,
      cacheHits: 1,
    });
    expect(second.attempts).toMatchObject([
      { number: 1, status: "succeeded", cached: true, provider: "sim", model: "m", costUsd: 0, error: null },
    ]);
    expect(second.attempts[0]!.finishedAt).toBe(second.attempts[0]!.startedAt);
    expect(house.events.filter((event) => event.runId === second.id && event.type === "attempt-started")).toEqual([]);
  });

  it("is used within one run, too, and counts nothing in its limits", async () => {
    expect(await run("twice", { text: "twice" })).toMatchObject({ status: "succeeded", usage: { calls: 1, cacheHits: 1 } });
  });

  it.each([
    ["another text", "echo", "differently"],
    ["another config", "warmer", "same"],
    ["another model", "other", "same"],
    ["a prompt that wants fresh answers", "fresh", "same"],
  ])("asks for %s", async (_, flow, text) => {
    await run("echo", { text: "same" });
    expect(await run(flow, { text })).toMatchObject({ usage: { calls: 1, cacheHits: 0 } });
  });

  it("costs prompts nothing whose model keeps no answers, unless they ask for it themselves", async () => {
    const before = looks;
    expect(await run("plain", { text: "plain" })).toMatchObject({ usage: { calls: 1 } });
    expect(looks).toBe(before);
    await run("asked", { text: "asked" });
    expect(await run("asked", { text: "asked" })).toMatchObject({ usage: { calls: 0, cacheHits: 1 } });
  });

  it("keeps a structured answer that fits, also when it had to be asked for again", async () => {
    expect(await run("rate", { how: "it" })).toMatchObject({ output: { score: 3 }, usage: { calls: 2 } });
    expect(await run("rate", { how: "it" })).toMatchObject({ output: { score: 3 }, usage: { calls: 0, cacheHits: 1 } });
  });

  it.each([
    ["errors", "echo", "boom", "failed"],
    ["answers that were cut off", "echo", "cut", "succeeded"],
    ["answers of a fallback", "rescued", "hello", "succeeded"],
  ])("keeps no %s", async (_, flow, text, status) => {
    for (let time = 0; time < 2; time++) expect(await run(flow, { text })).toMatchObject({ status, usage: { cacheHits: 0 } });
  });

  it("forgets what is too old, and removes it", async () => {
    await run("echo", { text: "old" });
    await database.query(
      "UPDATE flow_run.cached_answer SET created_at = now() - interval '25 hours', expires_at = now() - interval '1 hour'",
    );
    expect(await run("echo", { text: "old" })).toMatchObject({ usage: { calls: 1, cacheHits: 0 } });
    const [left] = await database.query<{ count: number }>("SELECT count(*)::int AS count FROM flow_run.cached_answer");
    expect(await store.cache.prune()).toBe(left!.count - 1);
    expect(await run("echo", { text: "old" })).toMatchObject({ usage: { calls: 0, cacheHits: 1 } });
  });

  it("holds for who asks: a shorter time than it was kept for, and another environment, find nothing", async () => {
    const key = { environment: "dev", key: "k".repeat(64), ttlMs: 3_600_000 };
    store.cache.put(key, { output: { deep: [1] } });
    await expect.poll(() => store.cache.get(key)).toEqual({ output: { deep: [1] } });
    expect(await store.cache.get({ ...key, environment: "prod" })).toBeNull();
    await database.query("UPDATE flow_run.cached_answer SET created_at = now() - interval '10 minutes' WHERE key = $1", [key.key]);
    expect(await store.cache.get({ ...key, ttlMs: 60_000 })).toBeNull();
    expect(await store.cache.get(key)).not.toBeNull();
  });
});

describe("on a laptop", () => {
  it("answers stay in a directory, from one run to the next", async () => {
    const bundle = await compileFiles(FILES);
    const cacheDirectory = temporaryDirectory();
    const { signal } = new AbortController();
    const texts: string[] = [];
    const ask = () =>
      runLocally({
        bundle,
        environment: "local",
        flow: "echo",
        input: { text: "hi" },
        onEvent: (event) => event.type === "text-delta" && texts.push(event.text),
        signal,
        cacheDirectory,
      });
    expect((await ask()).run.usage).toMatchObject({ calls: 1, cacheHits: 0 });
    const { run, steps } = await ask();
    expect(run).toMatchObject({ output: "said", costUsd: 0, usage: { calls: 0, cacheHits: 1 } });
    expect(steps[0]!.attempts).toMatchObject([{ cached: true, status: "succeeded" }]);
    expect(texts.join("")).toBe("saidsaid");
  });
});

for (const database of ["postgres", "pglite"] as const) {
  test(`a server's workers share what they were answered, and say so (${database})`, { timeout: 120_000 }, async ({ install }) => {
    const installation = await install({
      database,
      files: {
        "flow-run.yaml": `name: cache
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini, cache: 1h } }
`,
        "prompts/echo.prompt": FILES["prompts/echo.prompt"],
      },
    });
    const server = await installation.startServer();
    await installation.deploy();
    await installation.ended(await installation.submit("one", { text: "hi" }, "echo"));
    server.signal("SIGTERM"); // an answer is kept soon, not before its step
    await server.ended;
    await installation.startServer();
    const id = await installation.submit("two", { text: "hi" }, "echo");
    expect(await installation.ended(id)).toMatchObject({ status: "succeeded", costUsd: 0, usage: { calls: 0, cacheHits: 1 } });
    expect(await installation.asked()).toHaveLength(1);
    const { stdout } = await installation.command(["runs", "show", id, "--env", "dev", "--project", installation.project]);
    expect(stdout).toMatch(/0 calls .* 1 from cache/);
    expect(stdout).toMatch(/echo .* from cache/);
  });
}
