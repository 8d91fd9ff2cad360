import { setTimeout as pause } from "node:timers/promises";
import { describe, expect } from "vitest";
import { type SeededRandom, seededRandom } from "../../src/model/simulator/seeded-random.ts";
import { CHAIN_STEPS, type Installation, type Server, test } from "../support/installation.ts";
import { type History, violations } from "../support/invariants.ts";

/**
 * Real servers are killed and frozen at random moments while runs are accepted and executed. Afterwards everything that clients were promised, what the
 * API tells and what the LLM was asked must fit together. The moments come from a seed that every failure names: FLOW_RUN_TEST_SEED=… repeats them.
 */
const SEED = process.env.FLOW_RUN_TEST_SEED ?? String(Date.now());

const TIMEOUT = { timeout: 300_000 };

/** Longer than a server needs to begin, shorter than a run of three calls. */
const SCRIPT = { latency: { min: "60ms", max: "250ms" } };

function checked(history: History, seed: string): void {
  expect(violations(history, { steps: CHAIN_STEPS }), `seed ${seed}`).toEqual([]);
}

/** Submits as several clients would, none of which waits for another. All must have been accepted in the end. */
class Clients {
  private readonly installation: Installation;
  private readonly promises: Promise<string>[] = [];

  constructor(installation: Installation) {
    this.installation = installation;
  }

  start(): void {
    const key = `run-${this.promises.length}`;
    const promise = this.installation.submit(key, { text: `text of ${key}` });
    promise.catch(() => {});
    this.promises.push(promise);
  }

  get count(): number {
    return this.promises.length;
  }

  async accepted(): Promise<void> {
    await Promise.all(this.promises);
  }

  async ended(): Promise<void> {
    await Promise.all(this.promises.map(async (promise) => this.installation.ended(await promise)));
  }
}

/** Kills the one server again and again: under load, in the middle of submissions, and while it starts. */
async function killAgainAndAgain(installation: Installation, random: SeededRandom, kills: number): Promise<Clients> {
  const clients = new Clients(installation);
  let server = await installation.startServer();
  await installation.deploy();
  for (let done = 0, life = 0; done < kills; life++) {
    // A run whose server dies five times before it gets anywhere counts as the cause and is ended. No run here may live through so many.
    if (installation.databaseUrl === undefined && life % 2 === 1) await clients.ended();
    for (let run = 0; run < 5; run++) {
      clients.start();
      await pause(random.integer(0, 120));
    }
    await pause(random.integer(0, 300));
    for (let run = 0; run < 2; run++) clients.start();
    await pause(random.integer(0, 8));
    expect(await server.kill()).toEqual({ code: null, signal: "SIGKILL" });
    done++;
    if (random.next() < 0.3) {
      const starting = installation.launchServer();
      await pause(random.integer(50, 1_500));
      await starting.kill();
      done++;
    }
    server = await installation.startServer();
  }
  await clients.accepted();
  return clients;
}

describe("a server that is killed again and again", () => {
  test("on the embedded database forgets no run and repeats no step", TIMEOUT, async ({ install }) => {
    const seed = `${SEED} embedded`;
    const installation = await install({ database: "pglite", script: SCRIPT });
    const clients = await killAgainAndAgain(installation, seededRandom(seed), 9);
    const history = await installation.history();
    checked(history, seed);
    expect(history.runs.length).toBe(clients.count);
    expect(interrupted(history), `seed ${seed}: the kills hit nothing`).toBeGreaterThan(0);
    controls(history);
  });
});

/** Calls that were under way when their server died. */
function interrupted({ steps }: History): number {
  return [...steps.values()].flatMap((its) => its.flatMap((step) => step.attempts)).filter((attempt) => attempt.status === "unknown")
    .length;
}

/** What would be found if a guarantee were broken, shown on this very history: a checker that finds nothing proves nothing. */
function controls(history: History): void {
  const doctored = (change: Partial<History>) => violations({ ...history, ...change }, { steps: CHAIN_STEPS });
  const [key, id] = [...history.accepted][0]!;
  const steps = history.steps.get(id)!;
  const first = steps[0]!;
  const answered = first.attempts.find((attempt) => attempt.status === "succeeded")!;
  const request = history.requests.find(({ attempt }) => attempt === answered.id)!;
  const withSteps = (changed: typeof steps) => ({ steps: new Map(history.steps).set(id, changed) });
  const withRun = (change: object) => ({ runs: history.runs.map((run) => (run.id === id ? { ...run, ...change } : run)) });
  const late = new Date(Date.parse(first.finishedAt!) + 1).toISOString();

  expect(doctored({ runs: history.runs.filter((run) => run.id !== id) })).toEqual([
    expect.stringContaining(`was promised for the key ${key} and is gone`),
  ]);
  expect(doctored({ accepted: new Map([...history.accepted].slice(1)) })).toEqual([expect.stringContaining(`${id} exists although`)]);
  expect(doctored({ accepted: new Map(history.accepted).set("another", id) })).toEqual([expect.stringContaining("answers for two keys")]);
  expect(doctored(withRun({ status: "running", finishedAt: null }))).toEqual([expect.stringContaining(`${id} is running`)]);
  expect(doctored(withRun({ output: { text: "another" } }))).toEqual([expect.stringContaining(`the output of ${id}`)]);
  expect(doctored(withSteps(steps.slice(0, 2)))).toContainEqual(expect.stringContaining("recorded the steps first, second"));
  expect(doctored(withSteps([...steps, first]))).toContainEqual(expect.stringContaining("two records of first"));
  const repeated = doctored({ requests: [...history.requests, { ...request, n: 1_000_000, at: late, attempt: "att_unknown" }] });
  expect(repeated).toEqual([
    expect.stringContaining("request 1000000 asked for first"),
    expect.stringContaining("(attempt att_unknown) is not in the ledger"),
  ]);
  expect(doctored({ requests: [...history.requests, { ...request, at: history.requests[0]!.at }] })).toEqual([
    expect.stringContaining("was sent twice"),
  ]);
  expect(doctored({ requests: history.requests.filter((other) => other !== request) })).toContainEqual(
    expect.stringMatching(/never saw it|booked/),
  );
  const begun = first.attempts.map((attempt) => ({ ...attempt, startedAt: late }));
  expect(doctored(withSteps([{ ...first, attempts: begun }, ...steps.slice(1)]))).toContainEqual(
    expect.stringContaining("after first was finished"),
  );
  const unpaid = [...first.attempts, { ...answered, id: "att_lost", status: "unknown" as const, usage: null, costUsd: null }];
  expect(doctored(withSteps([{ ...first, attempts: unpaid }, ...steps.slice(1)]))).toEqual(
    expect.arrayContaining([expect.stringMatching(/counts \d+ calls/), expect.stringMatching(/unpriced calls/)]),
  );
}

describe.concurrent("several processes on PostgreSQL", TIMEOUT, () => {
  test("a server that is killed again and again forgets no run and repeats no step", async ({ install }) => {
    const seed = `${SEED} postgres`;
    const installation = await install({ database: "postgres", script: SCRIPT });
    const clients = await killAgainAndAgain(installation, seededRandom(seed), 9);
    const history = await installation.history();
    checked(history, seed);
    expect(history.runs.length).toBe(clients.count);
    expect(interrupted(history), `seed ${seed}: the kills hit nothing`).toBeGreaterThan(0);
  });

  test("the runs of a killed worker go on elsewhere within 15 seconds", async ({ install }) => {
    const runs = 20;
    const installation = await install({
      database: "postgres",
      script: { rules: [{ when: { contains: "outline" }, latency: "100s", times: runs }] },
    });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const first = await installation.startServer({ role: "worker" });
    const clients = new Clients(installation);
    for (let run = 0; run < runs; run++) clients.start();
    await clients.accepted();
    await installation.askedTimes(runs);
    await installation.startServer({ role: "worker" });
    const killedAt = Date.now();
    await first.kill();

    const history = await installation.history();
    checked(history, "none");
    const repeated = history.requests.slice(runs).filter((request) => request.lastUserText.startsWith("outline"));
    expect(repeated.length).toBe(runs);
    expect(Math.max(...repeated.map((request) => Date.parse(request.at) - killedAt))).toBeLessThan(15_000);
  });

  test("a worker frozen past its lease during its calls loses its runs but not its bills", async ({ install }) => {
    const runs = 20;
    const asked = (latency: string) => ({ when: { contains: "outline" }, latency, times: runs });
    const installation = await install({ database: "postgres", script: { rules: [asked("8s"), asked("5s")] } });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const frozen = await installation.startServer({ role: "worker" });
    const clients = new Clients(installation);
    for (let run = 0; run < runs; run++) clients.start();
    await clients.accepted();
    await installation.askedTimes(runs);
    frozen.signal("SIGSTOP");
    await installation.startServer({ role: "worker" });
    await installation.askedTimes(2 * runs);
    // It wakes with all its answers in its hands while the new owner waits for the same ones.
    frozen.signal("SIGCONT");

    const history = await installation.history();
    checked(history, "none");
    expect(interrupted(history)).toBe(0);
    expect(history.requests.length).toBe(4 * runs);
    for (const run of history.runs) {
      expect(run.usage.calls).toBe(4);
      expect(history.steps.get(run.id)!.map((step) => step.attempts.map((attempt) => attempt.status))).toEqual([
        ["succeeded", "succeeded"],
        ["succeeded"],
        ["succeeded"],
      ]);
    }
    expect(frozen.exit()).toBe(null);
  });

  test("workers that are killed and frozen at random lose nothing and record nothing twice", async ({ install }) => {
    const seed = `${SEED} workers`;
    const random = seededRandom(seed);
    const installation = await install({ database: "postgres", script: SCRIPT });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const startWorker = () => installation.startServer({ role: "worker", args: ["--concurrency", "10"] });
    const workers: Server[] = [await startWorker(), await startWorker()];
    const clients = new Clients(installation);
    const woken: Promise<void>[] = [];
    const actions = ["kill", "stop", "kill", "stop", "kill", "kill"];
    for (const action of actions) {
      for (let run = 0; run < 10; run++) {
        clients.start();
        await pause(random.integer(0, 60));
      }
      const at = random.integer(0, workers.length - 1);
      const victim = workers[at]!;
      if (action === "kill") await victim.kill();
      else {
        victim.signal("SIGSTOP");
        woken.push(pause(random.integer(12_500, 14_500)).then(() => victim.signal("SIGCONT")));
      }
      workers[at] = await startWorker();
    }
    await clients.accepted();
    await Promise.all(woken);
    const history = await installation.history();
    expect(violations(history, { steps: CHAIN_STEPS, frozen: true }), `seed ${seed}`).toEqual([]);
    expect(history.runs.length).toBe(clients.count);
    expect(interrupted(history), `seed ${seed}: the kills hit nothing`).toBeGreaterThan(0);
  });
});
