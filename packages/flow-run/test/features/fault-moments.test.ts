import pg from "pg";
import { describe, expect } from "vitest";
import { CHAIN_STEPS, type DatabaseKind, type Installation, type Server, test, until } from "../support/installation.ts";
import { violations } from "../support/invariants.ts";

/**
 * A server is killed at each moment of a run's life at which something could be lost or done twice. What must hold afterwards is the fault matrix:
 * accepted once, ended always, finished steps never repeated, every call in the ledger.
 */

const INPUT = { text: "the killed run" };
const KEY = "the-key";

/** A server that dies at a moment of its own life. */
function serverThatDies(installation: Installation, moment: string): Promise<Server> {
  return installation.startServer({ env: { FLOW_RUN_TEST_FAULT: `${moment}:kill` } });
}

/** Waits for the server's death and makes sure that it was ours. */
async function died(server: Server, moment: string): Promise<void> {
  expect(await server.ended).toEqual({ code: null, signal: "SIGKILL" });
  expect(server.stderr()).toContain(`test fault ${moment}:kill`);
}

/** With a server again, lets the run end and checks everything; returns how often the LLM was asked, by step. */
async function goesOn(installation: Installation) {
  if (!installation.isServed) await installation.startServer();
  const id = await installation.submit(KEY, INPUT);
  await installation.ended(id);
  const history = await installation.history();
  expect(violations(history, { steps: CHAIN_STEPS })).toEqual([]);
  const steps = history.steps.get(id)!;
  const requestsOf = new Map(history.requests.map((request) => [request.attempt, request]));
  return {
    run: history.runs[0]!,
    attempts: steps.map((step) => step.attempts.map((attempt) => attempt.status).join(" ")),
    asked: steps.map((step) => step.attempts.filter((attempt) => requestsOf.has(attempt.id)).length),
  };
}

const SUBMITS_UNANSWERED = /fetch failed|terminated/;

for (const database of ["postgres", "pglite"] as const satisfies readonly DatabaseKind[]) {
  describe.concurrent(`SIGKILL on ${database === "postgres" ? "PostgreSQL" : "the embedded database"}`, { timeout: 180_000 }, () => {
    test("before the run is committed: no 202, and the same key starts the one run", async ({ install }) => {
      const installation = await install({ database });
      const server = await serverThatDies(installation, "before-accept");
      await installation.deploy();
      await expect(installation.submitOnce(KEY, INPUT)).rejects.toThrow(SUBMITS_UNANSWERED);
      await died(server, "before-accept");

      await installation.startServer();
      expect(await installation.allRuns()).toEqual([]);
      const { attempts, asked } = await goesOn(installation);
      expect(attempts).toEqual(["succeeded", "succeeded", "succeeded"]);
      expect(asked).toEqual([1, 1, 1]);
    });

    test("after the commit and before the 202: the run goes on, and the same key is answered with it", async ({ install }) => {
      const installation = await install({ database });
      const server = await serverThatDies(installation, "after-accept");
      await installation.deploy();
      await expect(installation.submitOnce(KEY, INPUT)).rejects.toThrow(SUBMITS_UNANSWERED);
      await died(server, "after-accept");

      await installation.startServer();
      const [committed, ...others] = await installation.allRuns();
      expect(others).toEqual([]);
      const again = await installation.submitOnce(KEY, INPUT);
      expect(again.headers.get("idempotency-replayed")).toBe("true");
      expect(await again.json()).toMatchObject({ id: committed?.id });
      await installation.ended(committed!.id);
      expect(violations(await installation.history(), { steps: CHAIN_STEPS })).toEqual([]);
    });

    test("during the model call: the attempt is unknown, the call is repeated once, and both are in the ledger", async ({ install }) => {
      const installation = await install({
        database,
        script: { rules: [{ when: { contains: "draft" }, latency: "60s", times: 1 }] },
      });
      const server = await installation.startServer();
      await installation.deploy();
      await installation.submit(KEY, INPUT);
      await installation.askedTimes(2);
      await server.kill();

      const { run, attempts, asked } = await goesOn(installation);
      expect(attempts).toEqual(["succeeded", "unknown succeeded", "succeeded"]);
      expect(asked).toEqual([1, 2, 1]);
      expect(run).toMatchObject({ usage: { calls: 4 }, unpricedCalls: 1, costUsd: null });
    });

    test("with the answer received and not recorded: paid twice, recorded once", async ({ install }) => {
      const installation = await install({ database });
      const server = await serverThatDies(installation, "before-record");
      await installation.deploy();
      await installation.submit(KEY, INPUT);
      await died(server, "before-record");

      const { run, attempts, asked } = await goesOn(installation);
      expect(attempts).toEqual(["unknown succeeded", "succeeded", "succeeded"]);
      expect(asked).toEqual([2, 1, 1]);
      expect(run).toMatchObject({ usage: { calls: 4 }, unpricedCalls: 1, costUsd: null });
    });

    test("with the step recorded and the next one not asked: the recorded one is not repeated", async ({ install }) => {
      const installation = await install({ database });
      const server = await serverThatDies(installation, "after-record");
      await installation.deploy();
      await installation.submit(KEY, INPUT);
      await died(server, "after-record");

      const { attempts, asked } = await goesOn(installation);
      // The second call was entered in the ledger and never left: nobody can know that afterwards, so it counts as unknown.
      expect(attempts).toEqual(["succeeded", "unknown succeeded", "succeeded"]);
      expect(asked).toEqual([1, 1, 1]);
    });

    test("before the commit that ends the run: it is not ended by halves, and its last call is repeated", async ({ install }) => {
      const installation = await install({ database });
      const server = await serverThatDies(installation, "before-end");
      await installation.deploy();
      await installation.submit(KEY, INPUT);
      await died(server, "before-end");

      const { attempts, asked } = await goesOn(installation);
      expect(attempts).toEqual(["succeeded", "succeeded", "unknown succeeded"]);
      expect(asked).toEqual([1, 1, 2]);
    });

    test("inside the commit that ends the run: it has ended completely or not at all, and ends once", async ({ install }) => {
      const installation = await install({ database });
      const server = await serverThatDies(installation, "inside-end");
      await installation.deploy();
      await installation.submit(KEY, INPUT);
      await died(server, "inside-end");

      const { attempts, asked } = await goesOn(installation);
      expect(["succeeded", "unknown succeeded"]).toContain(attempts[2]);
      expect(asked[2]).toBe(attempts[2] === "succeeded" ? 1 : 2);
    });

    test("after the commit that ended the run: it is as it was, and nothing is asked again", async ({ install }) => {
      const installation = await install({ database });
      const server = await serverThatDies(installation, "after-end");
      await installation.deploy();
      const id = await installation.submit(KEY, INPUT);
      await died(server, "after-end");

      await installation.startServer();
      const found = await installation.run(id);
      expect(found.status).toBe("succeeded");
      const { run, asked } = await goesOn(installation);
      expect(run).toEqual(found);
      expect(asked).toEqual([1, 1, 1]);
    });
  });
}

describe("SIGKILL on PostgreSQL, with the statement already on the server", { timeout: 180_000 }, () => {
  test("inside the final transaction: what the dead process had sent may still commit, and the run ends once all the same", async ({
    install,
  }) => {
    const installation = await install({
      database: "postgres",
      script: { rules: [{ when: { contains: "polish" }, latency: "4s", times: 1 }] },
    });
    const server = await installation.startServer();
    await installation.deploy();
    const id = await installation.submit(KEY, INPUT);
    await installation.askedTimes(3);
    const blocker = new pg.Client({ connectionString: installation.databaseUrl });
    // Within a transaction PostgreSQL shows the same activity for ever, so somebody else looks.
    const observer = new pg.Client({ connectionString: installation.databaseUrl });
    await Promise.all([blocker.connect(), observer.connect()]);
    try {
      await blocker.query("BEGIN");
      await blocker.query("SELECT 1 FROM flow_run.run WHERE id = $1 FOR UPDATE", [id]);
      // The statement that ends the run waits for our lock.
      await until(
        async () => {
          const { rowCount } = await observer.query(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%ended_epoch%'",
          );
          return rowCount === 1;
        },
        { what: "the end of the run waits for a lock" },
      );
      await server.kill();
      await blocker.query("COMMIT");
    } finally {
      await Promise.all([blocker.end(), observer.end()]);
    }
    const { attempts } = await goesOn(installation);
    expect(attempts.slice(0, 2)).toEqual(["succeeded", "succeeded"]);
    expect(["succeeded", "unknown succeeded"]).toContain(attempts[2]);
  });
});

describe.concurrent("SIGSTOP past the lease on PostgreSQL", { timeout: 180_000 }, () => {
  test("with the answer received and not recorded: the new owner repeats the call, and the woken one's record is refused but booked", async ({
    install,
  }) => {
    const installation = await install({
      database: "postgres",
      script: { rules: [{ when: { contains: "outline", nth: 2 }, latency: "8s" }] },
    });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const frozen = await installation.startServer({ role: "worker", env: { FLOW_RUN_TEST_FAULT: "before-record:stop" } });
    const id = await installation.submit(KEY, INPUT);
    await frozen.said(/test fault before-record:stop/);

    const other = await installation.startServer({ role: "worker" });
    await installation.askedTimes(2);
    expect(await installation.run(id)).toMatchObject({ status: "running", unpricedCalls: 1, costUsd: null });
    expect((await installation.steps(id))[0]!.attempts.map((attempt) => attempt.status)).toEqual(["unknown", "started"]);

    // It wakes with an answer in its hands while the other one waits for the same.
    frozen.signal("SIGCONT");
    await until(async () => (await installation.run(id)).unpricedCalls === 0, { what: "the late bill was booked" });
    expect((await installation.steps(id))[0]).toMatchObject({
      status: "running",
      attempts: [{ status: "succeeded" }, { status: "started" }],
    });
    const { run, attempts, asked } = await goesOn(installation);
    expect(attempts).toEqual(["succeeded succeeded", "succeeded", "succeeded"]);
    expect(asked).toEqual([2, 1, 1]);
    expect(run.usage.calls).toBe(4);
    expect([frozen.exit(), other.exit()]).toEqual([null, null]); // being fenced is no reason to end
  });

  test("with the end about to be committed: the run is ended by another worker, and once", async ({ install }) => {
    const installation = await install({ database: "postgres" });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const frozen = await installation.startServer({ role: "worker", env: { FLOW_RUN_TEST_FAULT: "before-end:stop" } });
    const id = await installation.submit(KEY, INPUT);
    await frozen.said(/test fault before-end:stop/);

    await installation.startServer({ role: "worker" });
    const ended = await installation.ended(id);
    frozen.signal("SIGCONT");
    await until(async () => (await installation.run(id)).unpricedCalls === 0, { what: "the late bill was booked" });
    const { run, asked } = await goesOn(installation);
    expect(asked).toEqual([1, 1, 2]);
    expect(run).toMatchObject({ status: "succeeded", finishedAt: ended.finishedAt, output: ended.output, usage: { calls: 4 } });
  });
});
