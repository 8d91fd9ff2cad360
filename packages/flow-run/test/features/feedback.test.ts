import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../src/store/database/index.ts";
import { compileFiles } from "../support/compile-files.ts";
import { describeEachDatabase } from "../support/describe-each-database.ts";
import { ServedHouse } from "../support/served-house.ts";

const FILES = {
  "flow-run.yaml": "name: judged\nproviders: { sim: { type: simulator } }\nmodels: { default: sim/m }\n",
  "flows/steps.yaml": "steps:\n  - { id: first, set: { done: 1 } }\n  - { id: each, forEach: [1, 2], set: { n: '${{ item }}' } }\n",
  "flows/held.yaml": "steps:\n  - { id: hold, wait: { signal: go } }\n",
};

describeEachDatabase("feedback", (open) => {
  let database: Database;
  let served: ServedHouse;
  let id: string;

  beforeAll(async () => {
    database = await open();
    served = await ServedHouse.open(database, await compileFiles(FILES));
    id = await served.start("steps");
    await served.ended(id);
  });
  afterAll(() => served.close());

  const give = (run: string, body: object | string, headers: Record<string, string> = {}) =>
    served.call("POST", `/v1/runs/${run}/feedback`, { body, headers });
  const list = async (run: string) => (await served.call("GET", `/v1/runs/${run}/feedback`)).json.feedback;
  const endedRun = async () => {
    const run = await served.start("steps");
    await served.ended(run);
    return run;
  };

  it("is a number, a truth or a text, of a run or of a step, and is listed in the order in which it came", async () => {
    const run = await endedRun();
    const first = await give(run, { name: "correct", value: true, comment: "It was", author: "Ada" });
    expect(first).toMatchObject({
      status: 201,
      json: { id: expect.stringMatching(/^fb_/), run, name: "correct", value: true, comment: "It was", step: null, author: "Ada" },
    });
    await give(run, { name: "score", value: -0.25, step: "first" });
    await give(run, { name: "kind", value: "'quoted' \u{1F600}", step: "each[1]" });
    await give(run, { name: "score", value: 0, step: "each" });
    expect(await list(run)).toMatchObject([
      first.json,
      { name: "score", value: -0.25, step: "first", comment: null, author: null },
      { name: "kind", value: "'quoted' \u{1F600}", step: "each[1]" },
      { name: "score", value: 0, step: "each" },
    ]);
    expect((await served.run(run)).feedbackCount).toBe(4);
    expect((await served.run(id)).feedbackCount).toBe(0);
    expect(await list(id)).toEqual([]);
  });

  it("is taken while the run has not ended", async () => {
    const run = await served.start("held");
    await served.house.told(run, "run-waiting");
    expect((await give(run, { name: "early", value: 1 })).status).toBe(201);
    expect(await served.run(run)).toMatchObject({ status: "waiting", feedbackCount: 1 });
    expect((await served.call("POST", `/v1/runs/${run}/signals/go`)).status).toBe(200);
    expect(await served.ended(run)).toMatchObject({ status: "succeeded", feedbackCount: 1 });
  });

  it.each([
    ["no name", { value: 1 }, "/name"],
    ["no value", { name: "a" }, "/value"],
    ["a name with a blank", { name: "a b", value: 1 }, "/name"],
    ["a long name", { name: "a".repeat(65), value: 1 }, "/name"],
    ["a value that is no judgement", { name: "a", value: { deep: 1 } }, "/value"],
    ["a value that is null", { name: "a", value: null }, "/value"],
    ["an empty text", { name: "a", value: "" }, "/value"],
    ["a text that is too long", { name: "a", value: "x".repeat(1_001) }, "/value"],
    ["a comment that is too long", { name: "a", value: 1, comment: "x".repeat(4_001) }, "/comment"],
    ["a field that does not exist", { name: "a", value: 1, coment: "x" }, "/coment"],
    ["an unknown step", { name: "a", value: 1, step: "frist" }, "/step"],
    ["a part of a step's name", { name: "a", value: 1, step: "fir" }, "/step"],
  ])("is refused with %s", async (_, body, pointer) => {
    const answer = await give(id, body);
    expect([answer.status, answer.problem, answer.json.errors?.[0].pointer]).toEqual([422, "invalid-input", pointer]);
    expect(await list(id)).toEqual([]);
  });

  it.each(['{"name":"a","value":"\\u0000"}', '{"name":"a","value":1,"comment":"\\ud800"}', '{"name":"a","value":1e999}', '"text"', "[]"])(
    "is refused when it cannot be kept: %s",
    async (body) => {
      expect((await give(id, body)).status).toBe(422);
      expect(await list(id)).toEqual([]);
    },
  );

  it("with an Idempotency-Key is given once, also when it is sent many times at once", async () => {
    const run = await endedRun();
    const headers = { "idempotency-key": '"thumbs"' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => give(run, { name: "up", value: true }, headers)));
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.json.id}`)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get("idempotency-replayed") === "true")).toHaveLength(9);
    expect(await list(run)).toHaveLength(1);
    expect((await served.run(run)).feedbackCount).toBe(1);
    const other = await give(run, { name: "up", value: false }, headers);
    expect([other.status, other.problem]).toEqual([422, "idempotency-key-reused"]);
    const elsewhere = await give(id, { name: "up", value: true }, headers);
    expect([elsewhere.status, elsewhere.problem]).toEqual([422, "idempotency-key-reused"]);
  });

  it("counts each of many that come at once", async () => {
    const run = await endedRun();
    await Promise.all(Array.from({ length: 30 }, (_, index) => give(run, { name: "n", value: index })));
    expect((await served.run(run)).feedbackCount).toBe(30);
    expect(new Set((await list(run)).map((one: { value: number }) => one.value)).size).toBe(30);
  });

  it("ends at a thousand", async () => {
    const run = await endedRun();
    await database.query("UPDATE flow_run.run SET feedback_count = 999 WHERE id = $1 RETURNING id", [run]);
    expect((await give(run, { name: "a", value: 1 })).status).toBe(201);
    const answer = await give(run, { name: "a", value: 1 });
    expect([answer.status, answer.problem]).toEqual([409, "too-much-feedback"]);
    expect((await served.run(run)).feedbackCount).toBe(1_000);
  });

  it("of a run of nobody, or of another environment, is answered in the same words", async () => {
    for (const [method, body] of [
      ["POST", { name: "a", value: 1 }],
      ["GET", undefined],
    ] as const) {
      const foreign = await served.call(method, `/v1/runs/${id}/feedback`, { body, environment: "prod" });
      const unknown = await served.call(method, "/v1/runs/run_00000000000000000000000000/feedback", { body, environment: "prod" });
      const impossible = await served.call(method, "/v1/runs/%00/feedback", { body, environment: "prod" });
      expect([foreign.status, foreign.problem]).toEqual([404, "run-not-found"]);
      expect([unknown.json, impossible.json]).toEqual([foreign.json, foreign.json]);
    }
    expect(await list(id)).toEqual([]);
  });

  it("may be given by whoever starts runs, and not by who only reads", async () => {
    const key = async (scopes: string[]) => (await served.call("POST", "/v1/keys", { body: { name: "k", scopes } })).json.key as string;
    const [runs, reads] = [await key(["run"]), await key(["read"])];
    const run = await endedRun();
    const call = (method: string, secret: string) =>
      served.call(method, `/v1/runs/${run}/feedback`, { key: secret, body: method === "GET" ? undefined : { name: "a", value: 1 } });
    expect((await call("POST", runs)).status).toBe(201);
    expect(await call("POST", reads)).toMatchObject({ status: 403, problem: "insufficient-scope" });
    expect((await call("GET", reads)).json.feedback).toHaveLength(1);
    expect((await call("GET", runs)).json.feedback).toHaveLength(1);
  });
});
