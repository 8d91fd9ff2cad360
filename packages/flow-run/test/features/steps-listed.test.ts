import { afterAll, beforeAll, expect, it } from "vitest";
import { compileFiles } from "../support/compile-files.ts";
import { describeEachDatabase } from "../support/describe-each-database.ts";
import { until } from "../support/installation.ts";
import { ServedHouse } from "../support/served-house.ts";

const FILES = {
  "flow-run.yaml": `name: listed
providers: { sim: { type: simulator, script: sim.yaml } }
models: { default: { use: sim/m, retries: 0 } }
`,
  "sim.yaml":
    'rules:\n  - { when: { contains: "say never" }, latency: 1h, answer: never }\n  - { when: { contains: "say" }, answer: said }\n',
  "prompts/echo.prompt": "---\ninput: { schema: { text: string } }\n---\nsay {{text}}.\n",
  "flows/outer.yaml": `steps:
  - { id: before, run: echo, with: { text: a } }
  - parallel:
      - { id: vote, forEach: [1, 2], run: inner, with: { n: "\${{ item }}" } }
      - { id: nap, wait: { for: 1h } }
output: { votes: "\${{ steps.vote.output }}" }
`,
  "flows/inner.yaml": `input: { n: integer }
steps:
  - { id: ask, set: { n: "\${{ input.n }}" } }
  - { id: approval, wait: { signal: "approval", payload: { ok: boolean, by?: string }, timeout: 2h } }
`,
  "flows/stuck.yaml": "steps:\n  - { id: called, run: deep }\n",
  "flows/deep.yaml": "steps:\n  - { id: quick, set: { a: 1 } }\n  - { id: slow, run: echo, with: { text: never } }\n",
};

describeEachDatabase("the steps of a run", (openDatabase) => {
  let served: ServedHouse;

  beforeAll(async () => {
    served = await ServedHouse.open(await openDatabase(), await compileFiles(FILES));
  });
  afterAll(() => served.close());

  const send = (id: string, body: unknown, name = "approval") => served.call("POST", `/v1/runs/${id}/signals/${name}`, { body });
  const listed = async (id: string) => (await served.steps(id)).map((step) => `${step.path} ${step.kind} ${step.status}`);

  it("tell what is waited for until when, and what is around it, and nothing of it once the signal came", async () => {
    const id = await served.start("outer");
    await served.house.told(id, "run-waiting");
    const at = Date.now();
    const steps = await served.steps(id);
    expect(steps.map((step) => `${step.path} ${step.kind} ${step.status}`).toSorted()).toEqual([
      "before task succeeded",
      "nap wait waiting",
      "vote[0] workflow running",
      "vote[0].approval wait waiting",
      "vote[0].ask set succeeded",
      "vote[1] workflow running",
      "vote[1].approval wait waiting",
      "vote[1].ask set succeeded",
    ]);
    const [approval, nap] = ["vote[0].approval", "nap"].map((path) => steps.find((step) => step.path === path)!);
    expect(approval).toMatchObject({
      seq: null,
      output: null,
      finishedAt: null,
      copied: false,
      waitsFor: { signal: "approval", payloadSchema: { properties: { ok: { type: "boolean" } } } },
    });
    expect(nap!.waitsFor).toMatchObject({ signal: null, payloadSchema: null });
    const left = (step: typeof nap) => (Date.parse(step!.waitsFor!.dueAt) - at) / 3_600_000;
    expect([left(approval), left(nap)].map(Math.round)).toEqual([2, 1]);

    expect((await send(id, { ok: true })).status).toBe(200);
    const voted = async () =>
      (await listed(id)).filter((line) => /^vote\[\d\] workflow succeeded$/.test(line)).map((line) => line.slice(0, 7));
    await until(async () => (await voted()).length === 1, { what: "the signal has its effect" });
    // Which of the two came first to its wait is for nobody to say.
    const [done] = await voted();
    const open = done === "vote[0]" ? "vote[1]" : "vote[0]";
    const after = (await served.steps(id)).find((step) => step.path === `${done}.approval`)!;
    expect(after).toMatchObject({ status: "succeeded", output: { ok: true }, waitsFor: null });
    expect((await served.call("POST", `/v1/runs/${id}/cancel`)).status).toBe(200);
    expect((await listed(id)).filter((line) => !line.endsWith("succeeded")).toSorted()).toEqual([
      "nap wait cancelled",
      `${open} workflow cancelled`,
      `${open}.approval wait cancelled`,
    ]);
  });

  it("tell what is under way, and what was when the run ended", async () => {
    const id = await served.start("stuck");
    await served.house.told(id, "attempt-started");
    expect(await listed(id)).toEqual(["called workflow running", "called.quick set succeeded", "called.slow model running"]);
    await served.call("POST", `/v1/runs/${id}/cancel`);
    expect(await listed(id)).toEqual(["called workflow cancelled", "called.quick set succeeded", "called.slow model cancelled"]);
  });

  it("take no signal that nobody waits for, and none that does not fit", async () => {
    const id = await served.start("outer");
    expect([404, 409]).toContain((await send(id, { ok: true }, "aproval")).status);
    await served.house.told(id, "run-waiting");
    const unknown = await send(id, { ok: true }, "aproval");
    expect([unknown.status, unknown.problem, unknown.json.detail]).toEqual([
      409,
      "not-waiting",
      "The run does not wait for this signal now. It waits for: approval.",
    ]);
    for (const [body, pointer] of [
      [{}, ""],
      [{ ok: "yes" }, "/ok"],
      [{ ok: true, by: 3 }, "/by"],
      [null, ""],
      [[], ""],
    ] as const) {
      const answer = await send(id, body);
      expect([answer.status, answer.problem]).toEqual([422, "invalid-input"]);
      expect(answer.json.errors[0].pointer).toContain(pointer);
    }
    expect((await send(id, '{"ok": true, "by": "\\u0000"}')).status).toBe(422);
    expect((await send(id, "{")).status).toBe(400);
    expect((await served.run(id)).status).toBe("waiting");
    expect((await served.call("POST", `/v1/runs/${id}/cancel`)).status).toBe(200);
  });

  it("are listed with the runs by tags, statuses, release, time and replays", async () => {
    const list = async (query: string) => {
      const { status, json } = await served.call("GET", `/v1/runs?${query}`);
      return status === 200 ? json.runs.map((run: { id: string }) => run.id) : `${status} ${json.errors?.[0].parameter}`;
    };
    const tags = ["x", "y & z"];
    const id = await served.start("deep", {}, { tags });
    await served.house.told(id, "attempt-started");
    await served.call("POST", `/v1/runs/${id}/cancel`);
    const again = await served.replay(id);
    const both = [again, id];
    expect(await list("tag=x&tag=y%20%26%20z")).toEqual(both);
    expect(await list("tag=x&tag=w")).toEqual([]);
    expect(await list("tag=x&status=cancelled&status=failed")).toEqual([id]);
    expect(await list("tag=x&release=1")).toEqual(both);
    expect(await list("release=2")).toEqual([]);
    expect(await list(`replayOf=${id}`)).toEqual([again]);
    expect(await list("tag=x&from=2020-01-01T00:00:00Z&to=2999-01-01T00:00:00%2B02:00")).toEqual(both);
    expect(await list("tag=x&to=2020-01-01T00:00:00Z")).toEqual([]);
    expect(await list("tag=x&limit=1")).toEqual([again]);
    for (const [query, parameter] of [
      ["status=done", "status"],
      ["status=failed&status=done", "status"],
      ["release=0", "release"],
      ["release=x", "release"],
      ["from=yesterday", "from"],
      ["to=2020-01-01", "to"],
      ["limit=0", "limit"],
    ]) {
      expect(await list(query!)).toBe(`400 ${parameter}`);
    }
    await served.call("POST", `/v1/runs/${again}/cancel`);
  });
});
