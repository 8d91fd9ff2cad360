import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineEvent } from "../../src/engine/index.ts";
import type { Database } from "../../src/store/database/index.ts";
import { compileFiles } from "../support/compile-files.ts";
import { describeEachDatabase } from "../support/describe-each-database.ts";
import { until } from "../support/installation.ts";
import { ServedHouse } from "../support/served-house.ts";

const FILES = {
  "flow-run.yaml": `name: cancelled
providers: { sim: { type: simulator, script: sim.yaml } }
models: { default: { use: sim/m, retries: 5, price: { input: 1, output: 1 } } }
`,
  "sim.yaml": `rules:
  - { when: { contains: "say never" }, latency: 1h, answer: never }
  - { when: { contains: "say later" }, error: { status: 429, retryAfter: 20s } }
  - { when: { contains: "say" }, answer: said }
`,
  "prompts/echo.prompt": "---\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "flows/two.yaml": `input: { text: string }
steps:
  - { id: first, run: echo, with: { text: a } }
  - { id: second, run: echo, with: { text: "\${{ input.text }}" } }
`,
  "flows/held.yaml": "steps:\n  - { id: hold, wait: { signal: go } }\n",
  "flows/slept.yaml": "steps:\n  - { id: sleep, wait: { for: 1h } }\n",
};

describeEachDatabase("cancelling", (open) => {
  let database: Database;
  let served: ServedHouse;

  beforeAll(async () => {
    database = await open();
    served = await ServedHouse.open(database, await compileFiles(FILES));
  });
  afterAll(() => served.close());

  const cancel = (id: string) => served.call("POST", `/v1/runs/${id}/cancel`);
  const idle = () => until(() => served.house.worker.activeRuns === 0, { what: "the worker holds no run", withinMs: 20_000 });
  const deliveries = async (ids: readonly string[]) => {
    const rows = await database.query<{ run_id: string; n: number }>(
      "SELECT run_id, count(*)::int AS n FROM flow_run.webhook_delivery WHERE run_id = ANY ($1::text[]) GROUP BY run_id",
      [ids],
    );
    return new Map(rows.map((row) => [row.run_id, row.n]));
  };
  const jobs = async (id: string) => {
    const sql = "SELECT id FROM pgboss.job WHERE state <= 'active' AND data ->> 'run' = $1";
    return (await database.query(sql, [id])).length;
  };

  describe("a run", () => {
    it("in a call of a model breaks the call off, and keeps what was paid", async () => {
      const id = await served.start("two", { text: "never" });
      await served.house.told(id, "attempt-started", { path: "second" });
      expect(await cancel(id)).toMatchObject({ status: 200, json: { status: "cancelled", usage: { calls: 2 }, unpricedCalls: 1 } });
      await idle();
      const [first, second] = await served.steps(id);
      expect(first).toMatchObject({ path: "first", status: "succeeded" });
      expect(first!.attempts[0]!.costUsd).toBeGreaterThan(0);
      expect(second).toMatchObject({ path: "second", status: "cancelled", seq: null, finishedAt: null });
    });

    it("that waits for its next try gives it up", async () => {
      const id = await served.start("two", { text: "later" });
      await served.house.told(id, "attempt-ended", { path: "second" });
      expect(await cancel(id)).toMatchObject({ status: 200, json: { status: "cancelled" } });
      await idle();
      expect((await served.steps(id))[1]!.attempts).toHaveLength(1);
    });

    it.each(["held", "slept"])("that waits takes no signal and is not woken any more (%s)", async (flow) => {
      const id = await served.start(flow);
      await served.house.told(id, "run-waiting");
      expect(await served.steps(id)).toMatchObject([{ status: "waiting" }]);
      expect(await cancel(id)).toMatchObject({ status: 200, json: { status: "cancelled" } });
      expect(await served.call("POST", `/v1/runs/${id}/signals/go`)).toMatchObject({ status: 409, problem: "not-waiting" });
      expect(await jobs(id)).toBe(0);
      expect(await served.steps(id)).toMatchObject([{ status: "cancelled", waitsFor: null }]);
    });

    it("that has ended, or is cancelled twice at once, is refused and stays as it is", async () => {
      const id = await served.start("held", {}, { webhook: "https://example.com/hook" });
      await served.house.told(id, "run-waiting");
      const answers = await Promise.all([cancel(id), cancel(id), cancel(id)]);
      expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 409, 409]);
      expect(await cancel(id)).toMatchObject({ status: 409, problem: "not-cancellable" });
      expect([...(await deliveries([id])).values()]).toEqual([1]);
    });

    it("of nobody, or of another environment, is not found", async () => {
      const id = await served.start("held");
      await served.house.told(id, "run-waiting");
      const foreign = await served.call("POST", `/v1/runs/${id}/cancel`, { environment: "prod" });
      const unknown = await served.call("POST", "/v1/runs/run_00000000000000000000000000/cancel", { environment: "prod" });
      expect([foreign.status, foreign.json]).toEqual([404, unknown.json]);
      expect((await cancel(id)).status).toBe(200);
    });
  });

  it("has one winner against the end, and one webhook that says who, at every moment of a run", { timeout: 120_000 }, async () => {
    const moments: EngineEvent["type"][] = ["run-started", "attempt-started", "attempt-ended", "step-finished", "run-finished"];
    const raced: { id: string; answer: Promise<Awaited<ReturnType<typeof cancel>>> }[] = [];
    for (let round = 0; round < 4; round++) {
      await Promise.all(
        moments.flatMap((moment) =>
          ["first", "second"].map(async (path) => {
            const id = await served.start("two", { text: "a" }, { webhook: "https://example.com/hook" });
            const at = moment.startsWith("run") ? {} : { path };
            raced.push({ id, answer: served.house.told(id, moment, at).then(() => cancel(id)) });
          }),
        ),
      );
      await Promise.all(raced.map((one) => one.answer));
    }
    const counted = await deliveries(raced.map((one) => one.id));
    const outcomes = new Set<string>();
    for (const { id, answer } of raced) {
      const { status } = await answer;
      const run = await served.run(id);
      outcomes.add(run.status);
      expect(`${status} ${run.status} ${counted.get(id)}`).toBe(status === 200 ? "200 cancelled 1" : "409 succeeded 1");
      expect(run.output === null).toBe(run.status === "cancelled");
    }
    expect([...outcomes].toSorted()).toEqual(["cancelled", "succeeded"]);
  });

  it("has one winner against a signal that would end the run", { timeout: 120_000 }, async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, () => served.start("held", {}, { webhook: "https://example.com/hook" })));
    await Promise.all(ids.map((id) => served.house.told(id, "run-waiting")));
    const answers = await Promise.all(
      ids.map((id, index) => {
        const signal = () => served.call("POST", `/v1/runs/${id}/signals/go`, { body: { index } });
        return Promise.all(index % 2 === 0 ? [cancel(id), signal()] : [signal(), cancel(id)].toReversed());
      }),
    );
    for (const [index, id] of ids.entries()) {
      const [cancelled, signalled] = answers[index]!;
      const run = await served.ended(id);
      // A signal that was taken first may still be followed by the cancel; a cancel that was first takes no signal.
      expect(run.status).toBe(cancelled!.status === 200 ? "cancelled" : "succeeded");
      if (cancelled!.status !== 200) expect([cancelled!.status, signalled!.status]).toEqual([409, 200]);
      expect([200, 409]).toContain(signalled!.status);
    }
    const counted = await deliveries(ids);
    expect(ids.map((id) => counted.get(id))).toEqual(ids.map(() => 1));
  });
});
