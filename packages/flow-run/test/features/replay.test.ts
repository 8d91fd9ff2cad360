import type { Json } from "@flow-run/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../src/compile/index.ts";
import type { Database } from "../../src/store/database/index.ts";
import { compileFiles } from "../support/compile-files.ts";
import { describeEachDatabase } from "../support/describe-each-database.ts";
import { until } from "../support/installation.ts";
import { ServedHouse } from "../support/served-house.ts";
import { newRun } from "../support/store-fixtures.ts";

const FILES = {
  "flow-run.yaml": `name: replays
providers: { sim: { type: simulator, script: sim.yaml } }
models: { default: { use: sim/m, retries: 0, price: { input: 1, output: 1 } } }
`,
  "sim.yaml": `rules:
  - { when: { contains: "say boom" }, error: { status: 400, message: refused } }
  - { when: { contains: "say never" }, latency: 1h, answer: never }
  - { when: { contains: "say one" }, answer: two }
  - { when: { contains: "say two" }, answer: three }
  - { when: { contains: "say" }, answer: said }
`,
  "prompts/echo.prompt": "---\ninput: { schema: { text: string, tone?: string } }\n---\nsay {{text}}.\n",
  "flows/chain.yaml": `input: { text: string }
steps:
  - { id: first, run: echo, with: { text: "\${{ input.text }}" } }
  - { id: second, run: echo, with: { text: "\${{ steps.first.output }}" } }
  - { id: third, set: { was: "\${{ input.text }}", is: "\${{ steps.second.output }}" } }
`,
  "flows/many.yaml": `steps:
  - id: each
    forEach: [a, one, c]
    run: pair
    with: { text: "\${{ item }}" }
  - parallel:
      - { id: left, run: echo, with: { text: l } }
      - { id: right, run: echo, with: { text: boom }, onError: { run: pair, with: { text: rescue } } }
  - { id: turns, repeat: { until: "\${{ false }}", max: 2 }, run: echo, with: { text: t } }
output: { each: "\${{ steps.each.output }}", right: "\${{ steps.right.output }}" }
`,
  "flows/pair.yaml": `input: { text: string }
steps:
  - { id: ask, run: echo, with: { text: "\${{ input.text }}" } }
  - { id: again, run: echo, with: { text: "\${{ steps.ask.output }}" } }
`,
  "flows/approve.yaml": `steps:
  - { id: draft, run: echo, with: { text: a } }
  - { id: approval, wait: { signal: approval, payload: { by: string } } }
  - { id: send, run: echo, with: { text: "\${{ steps.approval.output.by }}" } }
output: { by: "\${{ steps.approval.output.by }}", sent: "\${{ steps.send.output }}" }
`,
};

describeEachDatabase("a replay", (open) => {
  let database: Database;
  let bundle: Bundle;
  let served: ServedHouse;

  beforeAll(async () => {
    database = await open();
    bundle = await compileFiles(FILES);
    served = await ServedHouse.open(database, bundle);
  });
  afterAll(() => served.close());

  const endedChain = async (text = "one", options: Record<string, Json> = {}) => {
    const id = await served.start("chain", { text }, options);
    await served.ended(id);
    return id;
  };
  const refused = async (id: string, body: Json) => {
    const { status, problem, json } = await served.call("POST", `/v1/runs/${id}/replay`, { body });
    return { status, problem, detail: json.detail as string, pointers: json.errors?.map((error: { pointer: string }) => error.pointer) };
  };
  const copied = async (id: string) => (await served.steps(id)).filter((step) => step.copied).map((step) => step.path);
  const signal = (id: string, by: string) => served.call("POST", `/v1/runs/${id}/signals/approval`, { body: { by } });
  const waits = (id: string) => until(async () => (await served.run(id)).status === "waiting", { what: "the run waits" });

  describe("as a whole", () => {
    it("is a new run like the other, linked to it", async () => {
      const id = await endedChain("one", {
        tags: ["red", "blue"],
        priority: 7,
        webhook: { url: "https://example.com/hook", includeOutput: true },
      });
      const again = await served.replay(id);
      const run = await served.ended(again);
      expect(run).toMatchObject({
        status: "succeeded",
        input: { text: "one" },
        output: { was: "one", is: "three" },
        tags: ["red", "blue"],
        replayOf: { run: id, from: null },
        usage: { calls: 2 },
      });
      expect(await copied(again)).toEqual([]);
      const [row] = await database.query("SELECT priority, webhook_url, webhook_output FROM flow_run.run WHERE id = $1", [again]);
      expect(row).toEqual({ priority: 7, webhook_url: "https://example.com/hook", webhook_output: true });
      expect((await served.run(id)).replayOf).toBeNull();
      expect((await served.call("GET", `/v1/runs?replayOf=${id}`)).json.runs.map((one: { id: string }) => one.id)).toEqual([again]);
    });

    it("takes another input, tags, priority and webhook, or none", async () => {
      const id = await endedChain("one", { tags: ["red"], webhook: "https://example.com/hook" });
      const again = await served.replay(id, { input: { text: "x" }, tags: ["new"], priority: -5, webhook: null });
      expect(await served.ended(again)).toMatchObject({ input: { text: "x" }, output: { was: "x" }, tags: ["new"] });
      const other = await served.replay(id, { webhook: "https://example.com/other" });
      const rows = await database.query("SELECT priority, webhook_url FROM flow_run.run WHERE id = ANY ($1::text[]) ORDER BY id", [
        [again, other].toSorted(),
      ]);
      expect(rows).toEqual([
        { priority: -5, webhook_url: null },
        { priority: 0, webhook_url: "https://example.com/other" },
      ]);
    });

    it("works while the other run has not ended", async () => {
      const id = await served.start("approve");
      await waits(id);
      const again = await served.replay(id);
      await waits(again);
      expect((await served.run(again)).usage.calls).toBe(1);
      for (const one of [id, again]) await served.call("POST", `/v1/runs/${one}/cancel`);
    });

    it("refuses an input that does not fit, and a webhook into nowhere", async () => {
      const id = await endedChain();
      expect(await refused(id, { input: { text: 1 } })).toMatchObject({ status: 422, problem: "invalid-input", pointers: ["/input/text"] });
      expect(await refused(id, { input: null })).toMatchObject({ status: 422, problem: "invalid-input" });
      expect(await refused(id, { webhook: "ftp://example.com" })).toMatchObject({
        status: 422,
        problem: "invalid-input",
        pointers: ["/webhook"],
      });
      expect(await refused(id, { form: "second" })).toMatchObject({ status: 422, detail: expect.stringContaining('did you mean "from"?') });
    });
  });

  describe("from a step", () => {
    it("asks nothing again of what came before, and pays nothing for it", async () => {
      const id = await endedChain();
      const again = await served.replay(id, { from: "second" });
      const run = await served.ended(again);
      expect(run).toMatchObject({
        status: "succeeded",
        output: { was: "one", is: "three" },
        replayOf: { run: id, from: "second" },
        usage: { calls: 1 },
      });
      const [before, after] = [await served.steps(id), await served.steps(again)];
      expect(after.map((step) => [step.path, step.seq, step.copied, step.attempts.length])).toEqual([
        ["first", 1, true, 0],
        ["second", 2, false, 1],
        ["third", 3, false, 0],
      ]);
      expect(after[0]).toEqual({ ...before[0], copied: true, attempts: [] });
      expect(run.costUsd).toBe(after[1]!.attempts[0]!.costUsd);
    });

    it("takes another input of that step, with its defaults, in place of what its expressions give", async () => {
      const id = await endedChain();
      const again = await served.replay(id, { from: "second", input: { text: "one" } });
      expect(await served.ended(again)).toMatchObject({ input: { text: "one" }, output: { was: "one", is: "two" } });
      expect((await served.steps(again))[1]).toMatchObject({ path: "second", input: { text: "one" }, output: "two", copied: false });
      expect(await served.run(id)).toMatchObject({ output: { is: "three" } });
    });

    it("mends a run that failed", async () => {
      const id = await endedChain("boom");
      expect(await served.run(id)).toMatchObject({ status: "failed", error: { step: "first" } });
      const again = await served.replay(id, { from: "first", input: { text: "one" } });
      expect(await served.ended(again)).toMatchObject({ status: "succeeded", output: { was: "boom", is: "three" } });
    });

    it("begins with one element, and keeps the others and what stands beside it", async () => {
      const id = await served.start("many");
      expect(await served.ended(id)).toMatchObject({ status: "succeeded", usage: { calls: 12 } });
      const one = await served.replay(id, { from: "each[1]", input: { text: "two" } });
      expect(await served.ended(one)).toMatchObject({ output: { each: ["said", "said", "said"] }, usage: { calls: 8 } });
      expect(await copied(one)).toEqual(
        ["each[0]", "each[0].ask", "each[0].again", "each[2]", "each[2].ask", "each[2].again"].toSorted(byOrder(await served.steps(one))),
      );
      expect((await refused(id, { from: "eech" })).detail).toContain('did you mean "each"?');
      const inside = await served.replay(id, { from: "each[1].again", input: { text: "one" } });
      expect(await served.ended(inside)).toMatchObject({ output: { each: ["said", "two", "said"] }, usage: { calls: 7 } });
      const left = await served.replay(id, { from: "left" });
      expect(await served.ended(left)).toMatchObject({ usage: { calls: 3 } });
      const turn = await served.replay(id, { from: "turns[1]" });
      expect(await served.ended(turn)).toMatchObject({ usage: { calls: 1 } });
      const all = await served.replay(id, { from: "turns" });
      expect(await served.ended(all)).toMatchObject({ usage: { calls: 2 } });
    });

    it("begins with a rescue, on the failure as it was", async () => {
      const id = await served.start("many");
      await served.ended(id);
      const again = await served.replay(id, { from: "right.onError", input: { text: "one" } });
      expect(await served.ended(again)).toMatchObject({ status: "succeeded", output: { right: "three" }, usage: { calls: 4 } });
      const right = (await served.steps(again)).filter((step) => step.path.startsWith("right"));
      expect(right.map((step) => [step.path, step.status, step.copied]).toSorted()).toEqual([
        ["right", "failed", true],
        ["right.onError", "succeeded", false],
        ["right.onError.again", "succeeded", false],
        ["right.onError.ask", "succeeded", false],
      ]);
    });

    it("does not wait again for a signal that came", async () => {
      const id = await served.start("approve");
      await waits(id);
      await signal(id, "Ada");
      await served.ended(id);
      const again = await served.replay(id, { from: "send" });
      expect(await served.ended(again)).toMatchObject({ output: { by: "Ada" }, usage: { calls: 1 } });
      const waiting = await served.replay(id, { from: "approval" });
      await waits(waiting);
      await signal(waiting, "Bob");
      expect(await served.ended(waiting)).toMatchObject({ output: { by: "Bob" }, usage: { calls: 1 } });
    });

    it("goes on where a cancelled run stood", async () => {
      const id = await served.start("chain", { text: "never" });
      await served.house.told(id, "attempt-started");
      await served.call("POST", `/v1/runs/${id}/cancel`);
      expect(await served.steps(id)).toMatchObject([{ path: "first", status: "cancelled", seq: null }]);
      const again = await served.replay(id, { from: "first", input: { text: "one" } });
      expect(await served.ended(again)).toMatchObject({ status: "succeeded", output: { was: "never", is: "three" } });
    });

    it("is a replay of a replay like of any run", async () => {
      const id = await endedChain();
      const second = await served.replay(id, { from: "second" });
      await served.ended(second);
      const third = await served.replay(second, { from: "third" });
      expect(await served.ended(third)).toMatchObject({
        output: { is: "three" },
        usage: { calls: 0 },
        costUsd: 0,
        replayOf: { run: second, from: "third" },
      });
      expect(await copied(third)).toEqual(["first", "second"]);
    });

    it("tells its events in order, the copies first", async () => {
      const id = await endedChain();
      const again = await served.replay(id, { from: "third" });
      await served.ended(again);
      const events = await served.text(`/v1/runs/${again}/events`);
      const finished = [...events.matchAll(/^data: (.*"type":"step-finished".*)$/gm)].map(([, data]) => JSON.parse(data!));
      expect(finished.map(({ seq, step }) => [seq, step.path, step.copied])).toEqual([
        [1, "first", true],
        [2, "second", true],
        [3, "third", false],
      ]);
    });

    it("keeps its input, and repeats nothing, when another worker takes it over", async () => {
      const id = await endedChain();
      const again = await served.replay(id, { from: "second", input: { text: "never" } });
      await served.house.told(again, "attempt-started");
      await served.changeWorker(bundle);
      await served.house.told(again, "attempt-started");
      const steps = await served.steps(again);
      expect(steps.map((step) => [step.path, step.status])).toEqual([
        ["first", "succeeded"],
        ["second", "running"],
      ]);
      expect(steps[1]!.attempts.map((attempt) => attempt.number)).toEqual([1, 2]);
      await served.call("POST", `/v1/runs/${again}/cancel`);
    });

    it("of a task is its run with the input given", async () => {
      const id = await served.start("echo", { text: "one" });
      await served.ended(id);
      const again = await served.replay(id, { from: "echo", input: { text: "two" } });
      expect(await served.ended(again)).toMatchObject({ input: { text: "two" }, output: "three", replayOf: { run: id, from: "echo" } });
    });
  });

  describe("is refused", () => {
    it.each([
      ["secnd", 'The flow has no step "secnd"; did you mean "second"?'],
      ["nothing.like.it", 'The flow has no step "nothing.like.it"; GET /v1/runs/'],
      ["first[0]", "The flow has no step"],
      ["first.x", "The flow has no step"],
      [".", "The flow has no step"],
      ["'; DROP TABLE flow_run.run; --", "The flow has no step"],
      ["a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "The flow has no step"],
    ])("from the unknown step %j", async (from, detail) => {
      const id = await endedChain();
      const { json, ...answer } = await served.call("POST", `/v1/runs/${id}/replay`, { body: { from } });
      expect([answer.status, answer.problem]).toEqual([422, "invalid-input"]);
      expect(json.detail).toContain(detail);
      expect(json.errors[0].pointer).toBe("/from");
    });

    it("from a step that the run never came to", async () => {
      const id = await endedChain("boom");
      const answer = await refused(id, { from: "third" });
      expect(answer).toMatchObject({ status: 422, problem: "invalid-input", pointers: ["/from"] });
      expect(answer.detail).toContain('The run never came to the step "third"');
    });

    it("from a step while the run has not ended", async () => {
      const id = await served.start("approve");
      await waits(id);
      const answer = await refused(id, { from: "approval" });
      expect(answer).toMatchObject({ status: 409, problem: "not-replayable" });
      expect(answer.detail).toContain("waiting");
      await signal(id, "Ada");
      await served.ended(id);
      expect(await served.replay(id, { from: "approval" })).toMatch(/^run_/);
    });

    it("with an input that does not fit the flow that the step calls, or for a step that calls none", async () => {
      const id = await endedChain();
      expect(await refused(id, { from: "second", input: { txt: "x" } })).toMatchObject({ status: 422, pointers: ["/input/txt"] });
      expect(await refused(id, { from: "second", input: { text: "x", tone: 3 } })).toMatchObject({ pointers: ["/input/tone"] });
      expect(await refused(id, { from: "third", input: {} })).toMatchObject({
        status: 422,
        problem: "invalid-input",
        pointers: ["/input"],
      });
    });

    it("for a run of nobody, or of another environment, in the same words", async () => {
      const id = await endedChain();
      const answers = await Promise.all([
        served.call("POST", `/v1/runs/${id}/replay`, { environment: "prod", body: { from: "second" } }),
        served.call("POST", "/v1/runs/run_00000000000000000000000000/replay", { environment: "prod", body: { from: "second" } }),
      ]);
      for (const answer of answers) expect([answer.status, answer.problem]).toEqual([404, "run-not-found"]);
      expect(answers[0].json).toEqual(answers[1].json);
    });

    it("without its own contents, once they were removed, and is a run with another input then", async () => {
      const id = await endedChain();
      await database.query(`UPDATE flow_run.run SET contents_pruned_at = now(), input = 'null', output = NULL WHERE id = $1 RETURNING id`, [
        id,
      ]);
      for (const body of [{}, { from: "first" }, { from: "second" }, { from: "second", input: { text: "x" } }]) {
        expect(await refused(id, body as Json)).toMatchObject({ status: 409, problem: "not-replayable" });
      }
      const again = await served.replay(id, { input: { text: "one" } });
      expect(await served.ended(again)).toMatchObject({ status: "succeeded", input: { text: "one" } });
      const run = newRun({ flow: "chain", kind: "workflow", input: { text: "one" } });
      await expect(served.store.replays.submit({ run, of: id, from: "second", copied: ["first"] })).rejects.toMatchObject({
        code: "not-replayable",
      });
    });

    it("and leaves nothing behind when what is to be copied is gone", async () => {
      const id = await endedChain();
      const run = newRun({ flow: "chain", kind: "workflow", input: { text: "one" } });
      await expect(served.store.replays.submit({ run, of: id, from: "third", copied: ["first", "lost"] })).rejects.toMatchObject({
        code: "not-replayable",
      });
      expect(await served.store.getRun("dev", run.id)).toBeNull();
      const jobs = await database.query("SELECT id FROM pgboss.job WHERE data ->> 'run' = $1", [run.id]);
      expect(jobs).toEqual([]);
    });
  });

  describe("with an Idempotency-Key", () => {
    it("happens once, also when it is sent many times at once", async () => {
      const id = await endedChain();
      const send = (body: object) => served.call("POST", `/v1/runs/${id}/replay`, { body, headers: { "idempotency-key": "once" } });
      const answers = await Promise.all(Array.from({ length: 10 }, () => send({ from: "second" })));
      expect(new Set(answers.map((answer) => `${answer.status} ${answer.json.id}`)).size).toBe(1);
      expect(answers.filter((answer) => answer.headers.get("idempotency-replayed") === "true")).toHaveLength(9);
      const run = await served.ended(answers[0]!.json.id);
      expect(await copied(run.id)).toEqual(["first"]);
      expect((await served.call("GET", `/v1/runs?replayOf=${id}`)).json.runs).toHaveLength(1);
      for (const other of [{ from: "third" }, { from: "second", input: { text: "x" } }, {}]) {
        expect(await send(other)).toMatchObject({ status: 422, problem: "idempotency-key-reused" });
      }
    });
  });

  it("whose answer was lost is there when it is sent again, once", async () => {
    const id = await endedChain();
    const run = newRun({ flow: "chain", kind: "workflow", input: { text: "one" } });
    const replay = { run, of: id, from: "third", copied: ["first", "second"] };
    const first = await served.store.replays.submit(replay);
    const second = await served.store.replays.submit(replay);
    expect([first, second].map((one) => [one.run.id, one.replayed])).toEqual([
      [run.id, false],
      [run.id, false],
    ]);
    expect(await served.ended(run.id)).toMatchObject({ status: "succeeded", output: { is: "three" }, usage: { calls: 0 } });
  });

  describe("on another release", () => {
    const withPrompt = (prompt: string) => compileFiles({ ...FILES, "prompts/echo.prompt": prompt });

    it("takes results over when the steps before are the same, and refuses when they are not", async () => {
      const id = await endedChain();
      await served.deploy(await withPrompt("---\ninput: { schema: { text: string, tone?: string } }\n---\nsay it better: {{text}}.\n"));
      const { release: second } = (await served.call("POST", `/v1/runs/${id}/replay`, { body: { from: "second", release: "current" } }))
        .json;
      expect(second).toBe((await served.run(id)).release + 1);
      expect((await served.call("POST", `/v1/runs/${id}/replay`, { body: { from: "second" } })).json.release).toBe(
        (await served.run(id)).release,
      );

      await served.deploy(
        await compileFiles({
          ...FILES,
          "flows/chain.yaml": FILES["flows/chain.yaml"].replace("steps:\n", "steps:\n  - { id: zero, set: { new: true } }\n"),
        }),
      );
      const longer = await refused(id, { from: "second", release: "current" });
      expect(longer).toMatchObject({ status: 409, problem: "not-replayable" });
      expect(longer.detail).toContain('beginning with "zero"');

      await served.deploy(await compileFiles({ ...FILES, "flows/chain.yaml": FILES["flows/chain.yaml"].replaceAll("first", "erster") }));
      expect(await refused(id, { from: "second", release: "current" })).toMatchObject({ status: 409, problem: "not-replayable" });
      expect(await refused(id, { from: "first", release: "current" })).toMatchObject({ status: 422, problem: "invalid-input" });
      expect(await refused(id, { from: "second", release: 99 })).toMatchObject({ status: 404, problem: "release-not-found" });

      const emptied = "steps:\n  - { id: only, set: {} }\n";
      await served.deploy(
        await compileFiles({
          ...FILES,
          "flows/chain.yaml": `input: { text(enum): [x] }\n${emptied}`,
        }),
      );
      const unfit = await refused(id, {});
      expect(unfit).toMatchObject({ status: 422, problem: "invalid-input" });
      expect(unfit.detail).toContain('or `"release": "same"`');
      expect(await served.replay(id, { release: "same" })).toMatch(/^run_/);
    });
  });
});

/** By the place in a list of steps. */
function byOrder(steps: readonly { path: string }[]): (a: string, b: string) => number {
  const at = new Map(steps.map((step, index) => [step.path, index]));
  return (a, b) => at.get(a)! - at.get(b)!;
}
