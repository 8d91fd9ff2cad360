import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, onTestFinished } from "vitest";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { CHAIN_STEPS, type Installation, type Server, test, until } from "../support/installation.ts";
import { violations } from "../support/invariants.ts";

/** The network between servers and their PostgreSQL fails: cut, silent, slow, or just when a commit was to be answered. */

/** A server whose way to the database can be made to fail. */
async function linked(installation: Installation, role: string): Promise<{ server: Server; link: FaultyProxy }> {
  const link = await startFaultyProxy(installation.databaseUrl!);
  onTestFinished(() => link.close());
  return { link, server: await installation.startServer({ role, env: { DATABASE_URL: link.url } }) };
}

function submitMany(installation: Installation, count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await pause(index * 10);
      return installation.submit(`run-${index}`, { text: `text of ${index}` });
    }),
  );
}

describe("between servers and their PostgreSQL", { timeout: 180_000 }, () => {
  test("a cut or a silent line costs a worker its runs within 15 seconds, not its bills, and not its life", async ({ install }) => {
    const runs = 20;
    const installation = await install({
      database: "postgres",
      script: { rules: [{ when: { contains: "outline" }, latency: "16s", times: runs }] },
    });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const [cut, silent] = await Promise.all([linked(installation, "worker"), linked(installation, "worker")]);
    await submitMany(installation, runs);
    await installation.askedTimes(runs);
    const other = await installation.startServer({ role: "worker" });
    const failedAt = Date.now();
    cut.link.partition();
    silent.link.hang();

    const taken = (await installation.askedTimes(2 * runs)).slice(runs).filter((request) => request.lastUserText.startsWith("outline"));
    expect(Math.max(...taken.map((request) => Date.parse(request.at) - failedAt))).toBeLessThan(15_000);
    let history = await installation.history();
    expect(violations(history, { steps: CHAIN_STEPS })).toEqual([]);

    for (const { link } of [cut, silent]) link.heal();
    // The lost workers have calls in their hands for runs that are no longer theirs. They end as answered, or broken off where the end of the run is told first.
    await until(
      async () => {
        history = await installation.history();
        return [...history.steps.values()].flat().every((step) => step.attempts.every((attempt) => attempt.finishedAt !== null));
      },
      { what: "all calls are booked" },
    );
    expect(history.requests).toHaveLength(4 * runs);
    await other.kill();
    await installation.submit("afterwards", { text: "afterwards" });
    expect(violations(await installation.history(), { steps: CHAIN_STEPS, frozen: true })).toEqual([]);
    for (const { server } of [cut, silent]) expect(server.exit()).toBe(null);
  });

  test("400 milliseconds of delay make everything slower, and nothing wrong", async ({ install }) => {
    const installation = await install({ database: "postgres", script: { latency: "20ms" } });
    const api = await linked(installation, "api");
    await installation.deploy();
    const worker = await linked(installation, "worker");
    for (const { link } of [api, worker]) link.delay(400);
    const ids = await submitMany(installation, 20);
    await Promise.all(ids.map((id) => installation.ended(id)));
    for (const { link } of [api, worker]) link.heal();
    const history = await installation.history();
    expect(violations(history, { steps: CHAIN_STEPS })).toEqual([]);
    // No lease was lost on the way.
    expect(history.requests).toHaveLength(60);
    expect([...installation.refusals.keys()].filter((status) => status !== 503)).toEqual([]);
  });

  test("an answer to a commit that is lost again and again loses, doubles and repeats nothing", async ({ install }) => {
    const installation = await install({ database: "postgres", script: { latency: "20ms" } });
    const api = await linked(installation, "api");
    await installation.deploy();
    const worker = await linked(installation, "worker");
    const losses = (async () => {
      for (const statement of ["submit-runs", "record-progress", "claim-runs", "record-progress", "submit-runs", "record-progress"])
        await (statement === "submit-runs" ? api : worker).link.loseAnswerOf(statement);
      return true;
    })();
    const submitted: Promise<string>[] = [];
    for (let number = 0; !(await Promise.race([losses, pause(50, false)])); number++)
      submitted.push(installation.submit(`lost-${number}`, { text: `text ${number}` }));
    await Promise.all(submitted);
    const history = await installation.history();
    expect(violations(history, { steps: CHAIN_STEPS })).toEqual([]);
    expect(history.runs).toHaveLength(submitted.length);
  });
});
