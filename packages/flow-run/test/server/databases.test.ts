import { runSchema, stepListSchema } from "@flow-run/spec";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bundle } from "../../src/compile/index.ts";
import type { Database } from "../../src/store/database/index.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import { describeEachDatabase } from "../support/describe-each-database.ts";
import { EventReader } from "./event-reader.ts";
import { testBundle } from "./test-bundle.ts";
import { codeOf, startRun, startServer, type TestServer } from "./test-server.ts";

/** The whole path from HTTP to the database and back; nothing executes the runs but what a test does through the store. */
describeEachDatabase("the server on a real database", (open) => {
  let database: Database;
  let store: Store;
  /** A second process on the same database, as far as the store is concerned. */
  let other: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
    other = await openStore({ database, onlyProcess: false });
    const bundle = testBundle();
    await store.deploy({ environment: "dev", bundle, hash: bundle.hash as string, author: null, message: null, commit: null });
  });
  afterAll(async () => {
    await other?.close();
    await store?.close();
  });

  const start = (on: Store = store): Promise<TestServer<Store>> => startServer({ store: on, deployed: false });

  /** Takes the run as a worker would. */
  async function claim(id: string) {
    for (;;) {
      const claimed = (await other.claimRuns(100)).find((run) => run.id === id);
      if (claimed !== undefined) return other.journal(claimed);
      await new Promise<void>((resolve) => {
        const stop = other.onQueued(() => {
          stop();
          resolve();
        });
        setTimeout(resolve, 200);
      });
    }
  }

  const step = (path: string, seq: number) => ({
    path,
    seq,
    kind: "run",
    status: "succeeded" as const,
    input: { of: path },
    output: `${path} done`,
    error: null,
    startedAtMs: Date.now(),
    finishedAtMs: Date.now(),
  });

  test("a run is accepted, watched, waited for, and told with its steps", async () => {
    const server = await start();
    const id = await startRun(server, { body: { input: { ticket: "hi" }, tags: ["whole-path"] } });
    const reader = new EventReader(server.port, id);
    await reader.opened();
    const waiting = server.call("GET", `/v1/runs/${id}?wait=30`);
    const journal = await claim(id);
    journal.appendStep(step("one", 1));
    await journal.commit();
    expect((await reader.event(0)).data.step).toMatchObject({ path: "one", seq: 1, output: "one done" });
    journal.appendStep(step("two", 2));
    journal.appendEnd({ status: "succeeded", output: { category: "bug" }, error: null });
    await journal.commit();
    const answer = await waiting;
    expect(runSchema.parse(answer.json)).toEqual(answer.json);
    expect(answer.json).toMatchObject({ status: "succeeded", output: { category: "bug" }, input: { ticket: "hi", tone: "kind" } });
    await reader.event(2);
    expect(reader.events.map((event) => [event.id, event.event])).toEqual([
      ["1", "step-finished"],
      ["2", "step-finished"],
      ["3", "run-finished"],
    ]);
    expect(reader.events[2]!.data.run).toEqual(answer.json);
    const steps = await server.call("GET", `/v1/runs/${id}/steps`);
    expect(stepListSchema.parse(steps.json)).toEqual(steps.json);
    expect(steps.json.steps.map((one: { path: string }) => one.path)).toEqual(["one", "two"]);
    expect((await server.call("GET", "/v1/runs?tag=whole-path&status=succeeded&flow=triage")).json.runs).toEqual([answer.json]);
    expect(codeOf(await server.call("POST", `/v1/runs/${id}/cancel`))).toBe("not-cancellable");
  });

  test("a hundred equal starts at once are one run and a hundred equal answers", async () => {
    const server = await start();
    const headers = { "idempotency-key": '"hundred"' };
    const body = { input: { text: "same" }, tags: ["hundred"] };
    const answers = await Promise.all(Array.from({ length: 100 }, () => server.call("POST", "/v1/flows/echo/runs", { body, headers })));
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.text}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(202);
    expect(answers.filter((answer) => answer.headers.get("idempotency-replayed") === "true")).toHaveLength(99);
    expect((await server.call("GET", "/v1/runs?tag=hundred")).json.runs).toHaveLength(1);
    expect(codeOf(await server.call("POST", "/v1/flows/echo/runs", { body: { input: { text: "other" } }, headers }))).toBe(
      "idempotency-key-reused",
    );
  });

  test("a start that is repeated after a deploy that would refuse it is answered with its run", async () => {
    const server = await start();
    const environment = "changing";
    const { echo, triage } = testBundle().flows as unknown as Bundle["flows"];
    const deploy = (flows: Bundle["flows"]) =>
      server.call("POST", "/v1/releases", { environment, body: { bundle: testBundle({ flows }) } });
    await deploy({ echo: echo!, triage: triage! });
    const headers = { "idempotency-key": "over-a-deploy" };
    const body = { input: { ticket: "x" } };
    const first = await server.call("POST", "/v1/flows/triage/runs", { environment, headers, body });
    expect(first.status).toBe(202);
    for (const flows of [
      { triage: { ...triage!, input: { type: "object" as const, required: ["other"] } } },
      { echo: echo! },
    ] as Bundle["flows"][]) {
      await deploy(flows);
      const again = await server.call("POST", "/v1/flows/triage/runs", { environment, headers, body });
      expect(again.text).toBe(first.text);
      expect(again.headers.get("idempotency-replayed")).toBe("true");
      const other = { environment, headers: { "idempotency-key": "another" }, body };
      expect((await server.call("POST", "/v1/flows/triage/runs", other)).status).toBeGreaterThan(403);
      const reused = await server.call("POST", "/v1/flows/triage/runs", { environment, headers, body: { input: { ticket: "y" } } });
      expect(codeOf(reused)).toBe("idempotency-key-reused");
    }
  });

  test("pages of runs are complete and without repetition", async () => {
    const server = await start();
    const ids = await Promise.all(Array.from({ length: 25 }, () => startRun(server, { flow: "echo", body: { tags: ["paged"] } })));
    const seen: string[] = [];
    let cursor = "";
    do {
      const { json } = await server.call("GET", `/v1/runs?tag=paged&limit=7${cursor && `&cursor=${cursor}`}`);
      seen.push(...json.runs.map((run: { id: string }) => run.id));
      cursor = json.nextCursor;
    } while (cursor);
    expect(seen).toHaveLength(25);
    expect(new Set(seen)).toEqual(new Set(ids));
    expect(codeOf(await server.call("GET", "/v1/runs?cursor=%27%20OR%201=1--"))).toBe("malformed-request");
    expect(codeOf(await server.call("GET", "/v1/runs?cursor=WzEsMl0"))).toBe("malformed-request");
  });

  test("a run that is cancelled wakes who waits for it on another server", async () => {
    const server = await start();
    const elsewhere = await start(other);
    const id = await startRun(server);
    const waiting = elsewhere.call("GET", `/v1/runs/${id}?wait=30`);
    await expect.poll(async () => (await elsewhere.call("GET", "/metrics")).text).toContain("flowrun_waiting_requests 1\n");
    expect((await server.call("POST", `/v1/runs/${id}/cancel`)).json).toMatchObject({ status: "cancelled" });
    expect((await waiting).json).toMatchObject({ status: "cancelled" });
  });

  test("environments do not see each other", async () => {
    const server = await start();
    await server.call("POST", "/v1/releases", { body: { bundle: testBundle() }, environment: "staging" });
    const headers = { "idempotency-key": "both" };
    const dev = await startRun(server, { headers });
    const staging = await startRun(server, { headers, environment: "staging" });
    expect(staging).not.toBe(dev);
    for (const suffix of ["", "/steps", "/events"]) {
      expect(codeOf(await server.call("GET", `/v1/runs/${dev}${suffix}`, { environment: "staging" }))).toBe("run-not-found");
    }
    expect(codeOf(await server.call("POST", `/v1/runs/${dev}/cancel`, { environment: "staging" }))).toBe("run-not-found");
    expect((await server.call("GET", "/v1/runs", { environment: "staging" })).json.runs).toMatchObject([{ id: staging }]);
  });

  test("a key works on every server, and is refused by every server once it is revoked", async () => {
    const server = await start();
    const elsewhere = await start(other);
    const { json: key } = await server.call("POST", "/v1/keys", { body: { name: "app", scopes: ["read"] } });
    expect((await elsewhere.call("GET", "/v1/runs?limit=1", { key: key.key })).status).toBe(200);
    expect((await server.call("DELETE", `/v1/keys/${key.id}`)).status).toBe(204);
    expect((await server.call("GET", "/v1/runs?limit=1", { key: key.key })).status).toBe(401);
    await expect.poll(async () => (await elsewhere.call("GET", "/v1/runs?limit=1", { key: key.key })).status, { timeout: 5_000 }).toBe(401);
    const listed = (await server.call("GET", "/v1/keys")).json.keys;
    expect(listed.find((one: { id: string }) => one.id === key.id).revokedAt).toMatch(/^\d{4}-/);
  });

  test("a deploy is numbered, refused from a stale plan, and seen by every server", async () => {
    const server = await start();
    const elsewhere = await start(other);
    const environment = "prod";
    const deploy = (project: string, more = {}) =>
      server.call("POST", "/v1/releases", { environment, body: { bundle: testBundle({ project }), ...more } });
    expect((await elsewhere.call("GET", "/v1/flows", { environment })).json.flows).toEqual([]);
    expect((await deploy("a", { expectedCurrent: null })).json).toMatchObject({ release: 1, previousRelease: null, changed: true });
    expect((await deploy("a")).json).toMatchObject({ release: 1, changed: false });
    expect(codeOf(await deploy("b", { expectedCurrent: 7 }))).toBe("stale-plan");
    expect((await deploy("b", { expectedCurrent: 1 })).json).toMatchObject({ release: 2, previousRelease: 1 });
    await expect
      .poll(async () => (await elsewhere.call("GET", "/v1/flows/echo", { environment })).json.release, { timeout: 5_000 })
      .toBe(2);
    expect((await elsewhere.call("GET", "/v1/releases/1", { environment })).json).toMatchObject({ project: "a", current: false });
  });

  test("hostile text reaches the database as data or not at all", async () => {
    const server = await start();
    const text = `'; DROP TABLE flow_run.run; -- $1 \\ " \u{1f4a9} \ufffd \uffff`;
    const id = await startRun(server, { flow: "echo", body: { input: { [text]: [text] }, tags: [text] } });
    expect((await server.call("GET", `/v1/runs/${id}`)).json).toMatchObject({ input: { [text]: [text] }, tags: [text] });
    expect((await server.call("GET", `/v1/runs?tag=${encodeURIComponent(text)}`)).json.runs).toMatchObject([{ id }]);
    for (const path of ["/v1/runs?flow=%00", "/v1/runs/%00", "/v1/runs?tag=%00", "/v1/runs?cursor=%00"]) {
      expect((await server.call("GET", path)).status).toBeLessThan(500);
    }
    const numbers = {
      deep: JSON.parse(`${"[".repeat(97)}${"]".repeat(97)}`),
      big: 1e300,
      small: 5e-324,
      zero: -0,
      exact: 9007199254740991,
    };
    const second = await startRun(server, { flow: "echo", body: { input: numbers } });
    expect((await server.call("GET", `/v1/runs/${second}`)).json.input).toEqual({ ...numbers, zero: 0 });
  });

  test("is ready, and counts what is queued", async () => {
    const server = await start();
    expect((await server.call("GET", "/readyz")).json).toEqual({ status: "ready", reasons: [] });
    await startRun(server);
    const { text } = await server.call("GET", "/metrics");
    expect(Number(/^flowrun_queue_depth (\d+)$/m.exec(text)![1])).toBeGreaterThan(0);
  });
});
