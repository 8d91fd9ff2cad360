import type { Run } from "@flow-run/spec";
import { describe, expect, onTestFinished } from "vitest";
import { openPostgres } from "../../src/store/index.ts";
import { type DatabaseKind, type Installation, test, until } from "../support/installation.ts";

const PROJECT = { "flow-run.yaml": "name: scheduled\nproviders: { sim: { type: simulator } }\nmodels: { default: sim/small }\n" };

const flow = (cron: string | null) => `input: { n: integer }
${cron === null ? "" : `schedule: { cron: "${cron}", timezone: Europe/Berlin, input: { n: 7 } }`}
steps: [{ id: a, set: { twice: "\${{ input.n * 2 }}" } }]
`;
const EVERY_SECOND = "* * * * * *";

async function runsOf(installation: Installation, name: string): Promise<Run[]> {
  return (await installation.allRuns()).filter((run) => run.flow === name).toReversed();
}

/** The runs of a flow as soon as there are so many. */
async function hasRuns(installation: Installation, name: string, count: number): Promise<Run[]> {
  let runs: Run[] = [];
  const look = async () => {
    runs = await runsOf(installation, name);
    return runs.length >= count;
  };
  await until(look, { what: `${name} has run ${count} times` });
  return runs;
}

/** As soon as there are so many more than now. */
async function moreRuns(installation: Installation, name: string, count: number): Promise<Run[]> {
  return hasRuns(installation, name, (await runsOf(installation, name)).length + count);
}

/** A schedule of every second has no more runs than seconds went by. One may have come late at the beginning. */
function expectOneATick(runs: readonly Run[]): void {
  const seconds = runs.map((run) => Math.floor(Date.parse(run.createdAt) / 1_000));
  expect(runs.length).toBeLessThanOrEqual(seconds.at(-1)! - seconds[0]! + 2);
}

describe("schedules of several servers on one PostgreSQL", () => {
  test("start one run a tick, and go on when one of the servers is killed", { timeout: 120_000 }, async ({ install }) => {
    const installation = await install({ database: "postgres", files: { ...PROJECT, "flows/beat.yaml": flow(EVERY_SECOND) } });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const [first] = await Promise.all([installation.startServer({ role: "worker" }), installation.startServer({ role: "worker" })]);
    expectOneATick(await moreRuns(installation, "beat", 6));
    await first.kill();
    const runs = await moreRuns(installation, "beat", 3);
    expectOneATick(runs);
    const ended = await installation.ended(runs[0]!.id);
    expect(ended).toMatchObject({
      flow: "beat",
      status: "succeeded",
      tags: ["schedule"],
      input: { n: 7 },
      output: { twice: 14 },
      release: 1,
    });
    const { schedule } = await installation.read<{ schedule: { nextTickAt: string } }>("/v1/flows/beat");
    expect(schedule).toEqual({
      cron: EVERY_SECOND,
      timezone: "Europe/Berlin",
      input: { n: 7 },
      nextTickAt: expect.stringMatching(/\.000Z$/),
    });
  });

  test("make up for the last tick that came while no server ran, once, and for none that came before", { timeout: 120_000 }, async ({
    install,
  }) => {
    const missed = new Date(Date.now() - 2 * 3_600_000);
    const daily = flow(`${missed.getUTCMinutes()} ${missed.getUTCHours()} * * *`).replace("Europe/Berlin", "UTC");
    const files = { ...PROJECT, "flows/beat.yaml": flow(EVERY_SECOND), "flows/daily.yaml": daily };
    const installation = await install({ database: "postgres", files });
    await installation.startServer({ role: "api" });
    await installation.deploy();
    const database = await openPostgres({ connectionString: installation.databaseUrl! });
    onTestFinished(() => database.close());
    await database.query("UPDATE flow_run.schedule SET ticked_until = now() - interval '5 days' WHERE flow = $1", ["daily"]);
    const workers = await Promise.all([1, 2].map(() => installation.startServer({ role: "worker", env: { LOG_LEVEL: "info" } })));
    await hasRuns(installation, "daily", 1);
    const tick = `${missed.toISOString().slice(0, 16)}:00.000Z`;
    await Promise.any(workers.map((worker) => worker.said(new RegExp(`"flow":"daily","tick":"${tick}"`))));
    // As if its end had not been taken down: what has run does not run again.
    await database.query("UPDATE flow_run.schedule SET ticked_until = now() - interval '5 days' WHERE flow = $1", ["daily"]);
    await installation.startServer({ role: "worker" });
    await moreRuns(installation, "beat", 3);
    expect(await runsOf(installation, "daily")).toHaveLength(1);
  });
});

describe.each(["postgres", "pglite"] satisfies DatabaseKind[])("schedules of one server (%s)", (database) => {
  test("are those of the current release, and survive its sudden death", { timeout: 120_000 }, async ({ install }) => {
    const files = { ...PROJECT, "flows/one.yaml": flow(EVERY_SECOND), "flows/two.yaml": flow(null) };
    const installation = await install({ database, files });
    const server = await installation.startServer();
    await installation.deploy();
    await moreRuns(installation, "one", 2);

    await server.kill();
    await installation.startServer();
    expectOneATick(await moreRuns(installation, "one", 2));

    // A release without the schedule ends it.
    installation.writeProject({ "flows/one.yaml": flow(null), "flows/two.yaml": flow(EVERY_SECOND) });
    await installation.deploy();
    const [first] = (await moreRuns(installation, "two", 3)) as [Run];
    const later = (await runsOf(installation, "one")).filter((run) => run.createdAt > first.createdAt);
    expect(later).toEqual([]);

    // The earlier one again brings it back.
    installation.writeProject(files);
    await installation.deploy();
    await moreRuns(installation, "one", 2);
  });
});

describe("flow-run dev", () => {
  test("keeps schedules only when asked to", { timeout: 120_000 }, async ({ install }) => {
    const installation = await install({ database: "pglite", files: { ...PROJECT, "flows/beat.yaml": flow(EVERY_SECOND) } });
    const dev = async (...args: string[]) => {
      const folder = ["--project", installation.project, "--data-dir", installation.dataDir];
      const program = installation.start(["dev", "--json", "--port", "0", ...folder, ...args]);
      await program.said(/^ {2}"flows"/);
      const [, url] = /"url": "(.*?)"/.exec(program.stdout())!;
      const read = async <T>(route: string) => (await (await fetch(`${url}${route}`)).json()) as T;
      return {
        program,
        schedule: () => read<{ schedule: { nextTickAt: string | null } }>("/v1/flows/beat"),
        runs: () => read<{ runs: Run[] }>("/v1/runs"),
      };
    };
    const quiet = await dev();
    expect((await quiet.schedule()).schedule).toMatchObject({ cron: EVERY_SECOND, nextTickAt: null });
    await quiet.program.kill();
    const keeping = await dev("--schedules");
    expect((await keeping.schedule()).schedule.nextTickAt).not.toBeNull();
    await until(async () => (await keeping.runs()).runs.length >= 2, { what: "the schedule has started runs" });
  });
});
