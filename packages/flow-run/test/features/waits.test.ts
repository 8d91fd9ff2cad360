import type { Json } from "@flow-run/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../src/compile/index.ts";
import { runLocally } from "../../src/compose.ts";
import type { Database } from "../../src/store/database/index.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import { compileFiles } from "../support/compile-files.ts";
import { describeEachDatabase } from "../support/describe-each-database.ts";
import { type DatabaseKind, test, until } from "../support/installation.ts";
import { WorkerHouse } from "../support/worker-house.ts";

const FILES = {
  "flow-run.yaml": `name: waits
providers: { sim: { type: simulator, script: sim.yaml } }
models: { default: { use: sim/m, retries: 0, price: { input: 1, output: 1 } } }
`,
  "sim.yaml": `rules:
  - when: { contains: "say slow" }
    latency: 400ms
    answer: late
  - { when: { contains: "say never" }, latency: 1h, answer: never }
  - { when: { contains: "say boom" }, error: { status: 400, message: refused } }
  - { when: { contains: "say" }, answer: said }
`,
  "prompts/echo.prompt": "---\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "flows/nap.yaml": "steps:\n  - { id: nap, wait: { for: 30ms } }\n  - { id: after, set: { done: true } }\n",
  "flows/sleep.yaml":
    "steps:\n  - { id: before, run: echo, with: { text: a } }\n  - { id: sleep, wait: { for: 1h } }\n  - { id: after, set: { done: true } }\n",
  "flows/approve.yaml": `steps:
  - { id: draft, run: echo, with: { text: a } }
  - id: approval
    wait: { signal: approval, payload: { by: string, ok: boolean }, timeout: 24h }
output: { text: "\${{ steps.draft.output }}", by: "\${{ steps.approval.output.by }}" }
`,
  "flows/impatient.yaml": `steps:
  - id: approval
    wait: { signal: approval, timeout: 1s }
`,
  "flows/told.yaml": "input: { code: string }\nsteps:\n  - { id: told, set: { code: '${{ input.code }}' } }\n",
  "flows/rescued.yaml": `steps:
  - id: approval
    wait: { signal: approval, timeout: 1h }
    onError: { run: told, with: { code: late } }
`,
  "flows/inner.yaml":
    "steps:\n  - { id: go, wait: { signal: go } }\n  - { id: then, run: echo, with: { text: '${{ string(steps.go.output) }}' } }\n",
  "flows/beside.yaml": `steps:
  - parallel:
      - { id: left, run: inner }
      - { id: right, run: echo, with: { text: slow } }
output: { left: "\${{ steps.left.output }}", right: "\${{ steps.right.output }}" }
`,
  "flows/given_up.yaml": `steps:
  - id: both
    run: half
    onError: continue
  - { id: hold, wait: { signal: hold } }
`,
  "flows/half.yaml": `steps:
  - parallel:
      - { id: go, wait: { signal: go } }
      - { id: fails, run: late_boom }
output: { go: "\${{ steps.go.output }}" }
`,
  "flows/late_boom.yaml":
    "steps:\n  - { id: first, run: echo, with: { text: slow } }\n  - { id: second, run: echo, with: { text: boom } }\n",
  "flows/many.yaml": `steps:
  - id: votes
    forEach: "\${{ ['a', 'b', 'c'] }}"
    as: who
    run: vote
`,
  "flows/votes.yaml": `steps:
  - id: votes
    forEach: "\${{ ['a', 'b', 'c'] }}"
    as: who
    concurrency: 2
    wait: { signal: vote, payload: { ok: boolean } }
  - { id: ask, repeat: { until: "\${{ steps.ask.output.ok }}", max: 5 }, wait: { signal: ask, payload: { ok: boolean } } }
output: { votes: "\${{ steps.votes.output }}", asked: "\${{ steps.ask.output.ok }}" }
`,
  "flows/vote.yaml": "steps:\n  - { id: vote, wait: { signal: vote } }\n",
  "flows/timed.yaml": "steps:\n  - { id: called, run: inner, timeout: 300ms, onError: continue }\n  - { id: after, set: { done: true } }\n",
  "flows/limited.yaml": "steps:\n  - { id: hold, wait: { signal: hold } }\nlimits: { duration: 1h }\n",
};

describeEachDatabase("a run that waits", (open) => {
  let database: Database;
  let store: Store;
  let bundle: Bundle;
  let house: WorkerHouse;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
    bundle = await compileFiles(FILES);
    house = await WorkerHouse.open(store, bundle);
  });
  afterAll(async () => {
    await house.close();
    await store.close();
  });

  const jobs = async (...ids: string[]) => {
    const sql = "SELECT count(*)::int AS n FROM pgboss.job WHERE state <= 'active' AND data ->> 'run' = ANY ($1::text[])";
    return (await database.query<{ n: number }>(sql, [ids]))[0]!.n;
  };
  const wakeNow = (id: string) =>
    database.batch([
      ["UPDATE flow_run.wait SET due_at = now() WHERE run_id = $1 RETURNING path", [id]],
      ["UPDATE flow_run.run SET wake_at = now() WHERE id = $1 RETURNING id", [id]],
    ]);
  const signal = async (id: string, name: string, payload: Json = null) => {
    const awaited = (await store.awaitedSignals("dev", id))!.signals.find((one) => one.name === name);
    return awaited !== undefined && (await store.deliverSignal("dev", id, awaited.path, payload));
  };
  const paths = async (id: string) => (await store.listSteps("dev", id))!.map((step) => `${step.path} ${step.status}`);

  it("sleeps through a short time without leaving", async () => {
    const id = await house.start("nap");
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { done: true } });
    expect(house.events.some((event) => event.runId === id && event.type === "run-waiting")).toBe(false);
    expect((await store.listSteps("dev", id))![0]).toMatchObject({ path: "nap", kind: "wait", input: { forMs: 30 }, output: null });
  });

  it("holds no job and no memory through a long time, and repeats nothing afterwards", async () => {
    const id = await house.start("sleep");
    await house.told(id, "run-waiting");
    await until(() => house.worker.activeRuns === 0, { what: "the worker holds no run" });
    expect(await jobs(id)).toBe(0);
    expect(await store.getRun("dev", id)).toMatchObject({ status: "waiting", finishedAt: null });
    await wakeNow(id);
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { done: true }, usage: { calls: 1 } });
    expect(await paths(id)).toEqual(["before succeeded", "sleep succeeded", "after succeeded"]);
  });

  it("goes on with a signal's payload", async () => {
    const id = await house.start("approve");
    await house.told(id, "run-waiting");
    expect((await store.awaitedSignals("dev", id))!.signals).toMatchObject([
      { name: "approval", path: "approval", payloadSchema: { properties: { by: { type: "string" } } } },
    ]);
    expect(await signal(id, "approval", { by: "Ada", ok: true })).toBe(true);
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { text: "said", by: "Ada" }, usage: { calls: 1 } });
    expect(await signal(id, "approval", { by: "Bob", ok: true })).toBe(false);
  });

  it("fails its step when the signal does not come in time", async () => {
    const id = await house.start("impatient");
    expect(await house.ended(id)).toMatchObject({ status: "failed", error: { code: "wait-timeout", step: "approval" } });
  });

  it("calls the rescue when the signal does not come in time", async () => {
    const id = await house.start("rescued");
    await house.told(id, "run-waiting");
    await wakeNow(id);
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { code: "late" } });
    expect(await paths(id)).toEqual(["approval failed", "approval.onError succeeded", "approval.onError.told succeeded"]);
  });

  it("goes on while a model answers beside it", async () => {
    const id = await house.start("beside");
    await house.told(id, "attempt-started", { path: "right" });
    await until(() => signal(id, "go", 7), { what: "the signal is taken" });
    await house.told(id, "step-finished", { path: "right" });
    const finished = house.events.flatMap((event) => (event.runId === id && event.type === "step-finished" ? [event.path] : []));
    expect(finished.indexOf("left.then")).toBeLessThan(finished.indexOf("right"));
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { left: "said", right: "late" }, usage: { calls: 2 } });
    expect(house.events.some((event) => event.runId === id && event.type === "run-waiting")).toBe(false);
  });

  it("leaves when the model beside it has answered, and does not ask again", async () => {
    const id = await house.start("beside");
    expect(await house.told(id, "run-waiting")).toMatchObject({ paths: ["left.go"] });
    expect(await signal(id, "go", 7)).toBe(true);
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { left: "said", right: "late" }, usage: { calls: 2 } });
  });

  it("takes a signal for each of many waits of one name, the oldest first", async () => {
    const id = await house.start("many");
    for (const payload of ["one", "two", "three"]) {
      const after = house.events.length;
      await until(() => signal(id, "vote", payload), { what: "the signal is taken" });
      if (payload !== "three") await house.told(id, "run-waiting", { after });
    }
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: ["one", "two", "three"] });
  });

  it("may be done for each element, as many at once as the step says, and again until it is enough", async () => {
    const id = await house.start("votes");
    const waiting = async () => (await store.awaitedSignals("dev", id))!.signals.map((one) => one.path).join();
    const send = async (name: string, ok: boolean) => {
      const after = house.events.length;
      await until(() => signal(id, name, { ok }), { what: "the signal is taken" });
      return after;
    };
    await house.told(id, "run-waiting");
    expect(await waiting()).toBe("votes[0],votes[1]");
    await house.told(id, "run-waiting", { after: await send("vote", true) });
    expect(await waiting()).toBe("votes[1],votes[2]");
    await house.told(id, "run-waiting", { after: await send("vote", false) });
    await house.told(id, "run-waiting", { after: await send("vote", true) });
    expect(await waiting()).toBe("ask[0]");
    await house.told(id, "run-waiting", { after: await send("ask", false) });
    await send("ask", true);
    const votes = [{ ok: true }, { ok: false }, { ok: true }];
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { votes, asked: true } });
    expect(await paths(id)).toEqual(["votes[0]", "votes[1]", "votes[2]", "ask[0]", "ask[1]"].map((path) => `${path} succeeded`));
  });

  it("gives a wait up when the step beside it fails", async () => {
    const id = await house.start("given_up");
    expect(await house.told(id, "run-waiting")).toMatchObject({ paths: ["hold"] });
    expect((await store.awaitedSignals("dev", id))!.signals.map((one) => one.name)).toEqual(["hold"]);
    expect(await signal(id, "hold")).toBe(true);
    expect(await house.ended(id)).toMatchObject({ status: "succeeded" });
  });

  it("stays in memory inside a step with a timeout, which holds", async () => {
    const id = await house.start("timed");
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { done: true } });
    expect(await paths(id)).toEqual(["called failed", "after succeeded"]);
    expect(house.events.some((event) => event.runId === id && event.type === "run-waiting")).toBe(false);
  });

  it("is cancelled where it waits", async () => {
    const id = await house.start("approve");
    await house.told(id, "run-waiting");
    expect(await store.cancelRun("dev", id)).toMatchObject({ status: "cancelled" });
    expect(await signal(id, "approval", { by: "Ada", ok: true })).toBe(false);
    expect(await jobs(id)).toBe(0);
  });

  it("ends at the workflow's limit of duration, waiting included", async () => {
    const id = await house.start("limited");
    await house.told(id, "run-waiting");
    const [row] = await database.query<{ hours: number }>(
      "SELECT extract(epoch FROM wake_at - started_at)::float8 / 3600 AS hours FROM flow_run.run WHERE id = $1",
      [id],
    );
    expect(row!.hours).toBeCloseTo(1, 3);
    await database.query(
      "UPDATE flow_run.run SET started_at = started_at - interval '1 hour', wake_at = wake_at - interval '1 hour' WHERE id = $1 RETURNING id",
      [id],
    );
    expect(await house.ended(id)).toMatchObject({ status: "failed", error: { code: "deadline" } });
  });

  it("goes on with another worker", async () => {
    const id = await house.start("approve");
    await house.told(id, "run-waiting");
    await house.close();
    expect(await signal(id, "approval", { by: "Eve", ok: false })).toBe(true);
    house = await WorkerHouse.open(store, bundle);
    expect(await house.ended(id)).toMatchObject({ status: "succeeded", output: { by: "Eve" }, usage: { calls: 1 } });
  });

  it("costs nothing a thousand times", { timeout: 60_000 }, async () => {
    const ids = await Promise.all(Array.from({ length: 1_000 }, () => house.start("limited")));
    const count = async (status: string) => {
      const [row] = await database.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM flow_run.run WHERE id = ANY ($1::text[]) AND status = $2",
        [ids, status],
      );
      return row!.n;
    };
    await until(async () => (await count("waiting")) === 1_000, { what: "all wait" });
    await until(() => house.worker.activeRuns === 0, { what: "the worker holds no run" });
    expect(await jobs(...ids)).toBe(0);
    expect(await Promise.all(ids.map((id) => signal(id, "hold", id)))).not.toContain(false);
    await until(async () => (await count("succeeded")) === 1_000, { what: "all have ended" });
    expect((await Promise.all(ids.map((id) => store.getRun("dev", id)))).map((run) => run!.output)).toEqual(ids);
  });
});

describe("a wait on the command line", () => {
  const local = async (flow: string) =>
    runLocally({
      bundle: await compileFiles(FILES),
      environment: "local",
      flow,
      input: {},
      onEvent: () => {},
      signal: new AbortController().signal,
    });

  it("sleeps", async () => {
    expect((await local("nap")).run).toMatchObject({ status: "succeeded", output: { done: true } });
  });

  it("says where signals can be sent, instead of waiting for one that cannot come", async () => {
    const { run } = await local("impatient");
    expect(run).toMatchObject({ status: "failed", error: { code: "signal-needs-server", step: "approval" } });
    expect(run.error!.message).toContain("flow-run dev");
  });
});

const PROJECT = {
  "flow-run.yaml": `name: waits
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini } }
`,
  "prompts/echo.prompt": FILES["prompts/echo.prompt"],
  "flows/approve.yaml": FILES["flows/approve.yaml"],
};

test.for<DatabaseKind>(["postgres", "pglite"])(
  "a run waits while its server is killed, and goes on with a signal to the next one (%s)",
  { timeout: 120_000 },
  async (database, { install }) => {
    const installation = await install({ database, files: PROJECT });
    const server = await installation.startServer();
    await installation.deploy();
    const id = await installation.submit("key", {}, "approve");
    await until(async () => (await installation.run(id)).status === "waiting", { what: "the run waits" });
    await server.kill();
    await installation.startServer();
    expect((await installation.run(id)).status).toBe("waiting");
    const wrong = await installation.request("POST", `/v1/runs/${id}/signals/approval`, { body: { by: "Ada" } });
    expect(wrong.status).toBe(422);
    const other = await installation.request("POST", `/v1/runs/${id}/signals/aproval`, { body: {} });
    expect([other.status, ((await other.json()) as { detail: string }).detail]).toEqual([409, expect.stringContaining("approval")]);
    const sent = await installation.command([
      ...["runs", "signal", id, "approval", "--payload", '{"by": "Ada", "ok": true}'],
      ...["--env", "dev", "--project", installation.project],
    ]);
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining(id) });
    const run = await installation.ended(id);
    expect(run).toMatchObject({ status: "succeeded", output: { by: "Ada" }, usage: { calls: 1 } });
    const again = await installation.request("POST", `/v1/runs/${id}/signals/approval`, { body: { by: "Ada", ok: true } });
    expect(again.status).toBe(409);
  },
);
