import type { Json } from "@flow-run/spec";
import { describe, expect, it } from "vitest";
import { runLocally } from "../../src/compose.ts";
import type { EngineEvent } from "../../src/engine/index.ts";
import { compileFiles } from "../support/compile-files.ts";

/** Runs a workflow whose prompts echo: `echo` answers text scripted below, `score` a number that grows with each call. */
async function runWorkflow(yaml: string, input: Json = {}, more: { [path: string]: string } = {}, signal = new AbortController().signal) {
  const bundle = await compileFiles({
    "flow-run.yaml": `name: steps
providers: { sim: { type: simulator, script: sim.yaml } }
models: { default: { use: sim/m, retries: 0, price: { input: 1, output: 1 } } }
`,
    "sim.yaml": `rules:
  - when: { contains: "say boom" }
    error: { status: 400, message: refused }
  - when: { contains: "say slow" }
    latency: 5s
    answer: late
  - when: { contains: "say flaky", attempt: 1 }
    error: { status: 500 }
  - { when: { contains: "say a" }, answer: A, usage: { inputTokens: 10, outputTokens: 5 } }
  - { when: { contains: "say b" }, answer: B, usage: { inputTokens: 10, outputTokens: 5 } }
  - { when: { contains: "say flaky" }, answer: steady }
  - { when: { contains: "rate 0" }, answer: { score: 3 } }
  - { when: { contains: "rate 3" }, answer: { score: 6 } }
  - { when: { contains: "rate 6" }, answer: { score: 9 } }
`,
    "prompts/echo.prompt": "---\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
    "prompts/rate.prompt": "---\ninput: { schema: { before: integer } }\noutput: { schema: { score: integer } }\n---\nrate {{before}}.\n",
    "flows/main.yaml": yaml,
    ...more,
  });
  const events: EngineEvent[] = [];
  const result = await runLocally({ bundle, environment: "local", flow: "main", input, onEvent: (event) => events.push(event), signal });
  return { ...result, events };
}

describe("steps of a workflow", () => {
  it("forEach runs with bounded concurrency and keeps the order of its list", async () => {
    const { run, steps, events } = await runWorkflow(
      `input: { texts(array): string }
steps:
  - { id: each, forEach: "\${{ input.texts }}", as: text, concurrency: 2, run: echo, with: { text: "\${{ text }}" } }
output: { all: "\${{ steps.each.output }}" }`,
      { texts: ["a", "b", "a", "b", "a"] },
    );
    expect(run.output).toEqual({ all: ["A", "B", "A", "B", "A"] });
    expect(steps.map((step) => step.path).sort()).toEqual(["each[0]", "each[1]", "each[2]", "each[3]", "each[4]"]);
    let open = 0;
    let most = 0;
    for (const event of events) {
      if (event.type === "attempt-started") most = Math.max(most, ++open);
      if (event.type === "attempt-ended") open--;
    }
    expect(most).toBe(2);
  });

  it("a step whose condition is false is skipped, asks nothing and gives null", async () => {
    const { run, steps } = await runWorkflow(
      `input: { on: boolean }
steps:
  - { id: maybe, if: "\${{ input.on }}", run: echo, with: { text: a } }
  - { id: after, set: { was: "\${{ steps.maybe.output == null }}" } }`,
      { on: false },
    );
    expect(run).toMatchObject({ status: "succeeded", output: { was: true }, usage: { calls: 0 } });
    expect(steps.map((step) => [step.path, step.status])).toEqual([
      ["maybe", "skipped"],
      ["after", "succeeded"],
    ]);
  });

  it("parallel steps run at the same time and are all there afterwards", async () => {
    const { run, events } = await runWorkflow(`steps:
  - parallel:
      - { id: left, run: echo, with: { text: a } }
      - { id: right, run: echo, with: { text: b } }
output: { both: "\${{ steps.left.output + steps.right.output }}" }`);
    expect(run.output).toEqual({ both: "AB" });
    const firstEnd = events.findIndex((event) => event.type === "attempt-ended");
    expect(events.slice(0, firstEnd).filter((event) => event.type === "attempt-started")).toHaveLength(2);
  });

  it("repeat goes on until its condition holds, and sees its own last result", async () => {
    const { run, steps } = await runWorkflow(`steps:
  - id: better
    repeat: { until: "\${{ steps.better.output.score >= 8 }}", max: 5 }
    run: rate
    with: { before: "\${{ coalesce(steps.better.output.?score, 0) }}" }`);
    expect(run.output).toEqual({ score: 9 });
    expect(steps.map((step) => step.path)).toEqual(["better[0]", "better[1]", "better[2]"]);
  });

  it("repeat that reaches its maximum gives its last result, or fails when asked to", async () => {
    const workflow = (exhausted: string) => `steps:
  - id: better
    repeat: { until: "\${{ steps.better.output.score >= 100 }}", max: 2${exhausted} }
    run: rate
    with: { before: "\${{ coalesce(steps.better.output.?score, 0) }}" }`;
    expect((await runWorkflow(workflow(""))).run.output).toEqual({ score: 6 });
    expect((await runWorkflow(workflow(", exhausted: fail"))).run).toMatchObject({
      status: "failed",
      error: { code: "repeat-exhausted", step: "better" },
    });
  });

  it("a failed step ends the run and names itself", async () => {
    const { run, steps } = await runWorkflow(`steps:
  - { id: first, run: echo, with: { text: a } }
  - { id: bad, run: echo, with: { text: boom } }
  - { id: never, run: echo, with: { text: b } }`);
    expect(run).toMatchObject({ status: "failed", output: null, error: { code: "provider-rejected", step: "bad", retryable: false } });
    expect(steps.map((step) => [step.path, step.status])).toEqual([
      ["first", "succeeded"],
      ["bad", "failed"],
    ]);
  });

  it("onError continues with null, or runs another flow that sees the error", async () => {
    const { run, steps } = await runWorkflow(`steps:
  - { id: shrug, run: echo, with: { text: boom }, onError: continue }
  - { id: rescued, run: echo, with: { text: boom }, onError: { run: echo, with: { text: b } } }
output: { shrug: "\${{ steps.shrug.output == null }}", rescued: "\${{ steps.rescued.output }}" }`);
    expect(run).toMatchObject({ status: "succeeded", output: { shrug: true, rescued: "B" } });
    expect(steps.map((step) => step.path)).toEqual(["shrug", "rescued", "rescued.onError"]);
  });

  it("retries of a step ask again after its model has given up", async () => {
    const { run, steps } = await runWorkflow("steps:\n  - { id: flaky, run: echo, with: { text: flaky }, retries: 2 }");
    expect(run).toMatchObject({ status: "succeeded", output: "steady", usage: { calls: 2 } });
    expect(steps[0]!.attempts.map((attempt) => [attempt.number, attempt.status])).toEqual([
      [1, "failed"],
      [2, "succeeded"],
    ]);
  });

  it("a timeout ends the step, aborts its call and books it", async () => {
    const started = performance.now();
    const { run, steps } = await runWorkflow("steps:\n  - { id: slow, run: echo, with: { text: slow }, timeout: 50ms }");
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(run).toMatchObject({ status: "failed", error: { code: "step-timeout", step: "slow", retryable: true } });
    expect(steps[0]!.attempts).toMatchObject([{ status: "failed", error: { code: "aborted" } }]);
  });

  it("a run that takes longer than its limit fails, and no onError can hide it", async () => {
    const { run } = await runWorkflow(
      "steps:\n  - { id: slow, run: echo, with: { text: slow }, onError: continue }\nlimits: { duration: 50ms }",
    );
    expect(run).toMatchObject({ status: "failed", error: { code: "deadline" } });
  });

  it("a called workflow has steps of its own below the step that calls it", async () => {
    const inner = `input: { text: string }
steps:
  - { id: one, run: echo, with: { text: "\${{ input.text }}" } }
  - { id: two, set: { said: "\${{ steps.one.output }}" } }
output: { said: "\${{ steps.two.output.said }}" }`;
    const { run, steps } = await runWorkflow(
      `steps:\n  - { id: call, run: inner, with: { text: a } }\noutput: { said: "\${{ steps.call.output.said }}" }`,
      {},
      { "flows/inner.yaml": inner },
    );
    expect(run.output).toEqual({ said: "A" });
    expect(steps.map((step) => [step.path, step.kind])).toEqual([
      ["call.one", "task"],
      ["call.two", "set"],
      ["call", "workflow"],
    ]);
  });

  it("an expression that fails at run time names file, line and column", async () => {
    const { run } = await runWorkflow(
      `input: { list(array): string }
steps:
  - { id: pick, set: { it: "\${{ input.list[3] }}" } }`,
      { list: ["a"] },
    );
    expect(run.error).toMatchObject({ code: "index-out-of-range", step: "pick" });
    expect(run.error!.message).toContain("flows/main.yaml:3:");
  });

  it("one failing branch of a forEach ends the others before the run ends", async () => {
    const { run, events } = await runWorkflow(
      `input: { texts(array): string }
steps:
  - { id: each, forEach: "\${{ input.texts }}", as: text, run: echo, with: { text: "\${{ text }}" } }`,
      { texts: ["slow", "boom", "slow"] },
    );
    expect(run.error).toMatchObject({ code: "provider-rejected", step: "each[1]" });
    const started = events.filter((event) => event.type === "attempt-started").length;
    expect(events.filter((event) => event.type === "attempt-ended")).toHaveLength(started);
    expect(events.at(-1)!.type).toBe("run-finished");
  });

  it("cancelling ends the run as cancelled and keeps its bill", async () => {
    const controller = new AbortController();
    const running = runWorkflow(
      "steps:\n  - { id: one, run: echo, with: { text: a } }\n  - { id: slow, run: echo, with: { text: slow } }",
      {},
      {},
      controller.signal,
    );
    setTimeout(() => controller.abort(), 600);
    const { run } = await running;
    expect(run).toMatchObject({ status: "cancelled", output: null, error: null, usage: { calls: 2 } });
  });
});
