import { describe, expect } from "vitest";
import { CHAIN_STEPS, type Installation, test } from "../support/installation.ts";
import { violations } from "../support/invariants.ts";
import { freshPostgresUrl } from "../support/shared-databases.ts";

const TIMEOUT = { timeout: 180_000 };

/** An embedded installation with two releases, ended runs, and runs whose server was killed in the middle. */
async function embeddedWithHistory(installation: Installation): Promise<void> {
  const server = await installation.startServer();
  await installation.deploy("--message", "the first");
  for (const name of ["a", "b", "c"]) await installation.submit(name, { text: name });
  await Promise.all([...installation.accepted.values()].map((id) => installation.ended(id)));
  installation.writeProject({ "prompts/extra.prompt": "An addition.\n" });
  await installation.deploy("--message", "the second");
  await installation.setScript({ rules: [{ when: { contains: "polish" }, latency: "100s", times: 4 }] });
  const before = (await installation.asked()).length;
  for (const name of ["d", "e", "f", "g"]) await installation.submit(name, { text: name });
  await installation.askedTimes(before + 12);
  await server.kill();
}

describe.concurrent("flow-run server --migrate-to", TIMEOUT, () => {
  test("takes runs, releases and keys along; runs under way go on where they were", async ({ install }) => {
    const installation = await install({ database: "pglite" });
    await embeddedWithHistory(installation);
    const embedded = await installation.startServer();
    const key = await installation.request("POST", "/v1/keys", { body: { name: "reader", scopes: ["read"] } });
    expect(key.status).toBe(201);
    const { key: secret } = (await key.json()) as { key: string };
    const runs = (await installation.allRuns()).filter((run) => run.finishedAt !== null);
    const steps = await Promise.all(runs.map((run) => installation.steps(run.id)));
    const releases = await installation.read("/v1/releases");
    await embedded.kill();

    const target = await freshPostgresUrl();
    const migrate = ["server", "--data-dir", installation.dataDir, "--migrate-to", target, "--json"];
    const moved = await installation.command(migrate);
    expect(moved).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(moved.stdout)).toEqual({ tables: expect.any(Number), rows: expect.any(Number), movedTo: expect.any(String) });

    // Nobody starts on the old files by mistake, and moving twice says that there is nothing left.
    const stale = await installation.command(["server", "--port", "0", "--data-dir", installation.dataDir]);
    expect(stale.code).toBe(2);
    expect(stale.stderr).toContain("DATABASE_URL");
    expect((await installation.command(migrate)).code).toBe(2);

    installation.databaseUrl = target;
    const server = await installation.startServer();
    expect(await installation.read("/v1/releases")).toEqual(releases);
    for (const [index, run] of runs.entries()) {
      expect(await installation.run(run.id)).toEqual(run);
      expect(await installation.steps(run.id)).toEqual(steps[index]);
    }
    const asReader = await fetch(`${server.url}/v1/runs/${runs[0]!.id}`, { headers: { authorization: `Bearer ${secret}` } });
    expect(asReader.status).toBe(200);
    await installation.submit("h", { text: "h" });
    // The same key still means the same run.
    const again = await installation.submitOnce("a", { text: "a" });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(violations(await installation.history(), { steps: CHAIN_STEPS })).toEqual([]);
    expect(installation.accepted.size).toBe(8);
  });

  test("refuses a target that holds anything, or that is not there, and leaves the installation as it was", async ({ install }) => {
    const target = await freshPostgresUrl();
    const other = await install({ database: "postgres", databaseUrl: target });
    const occupant = await other.startServer();
    await other.deploy();
    await occupant.kill();

    const installation = await install({ database: "pglite" });
    const first = await installation.startServer();
    await installation.deploy();
    await installation.submit("a", { text: "a" });
    await installation.ended(installation.accepted.get("a")!);

    const migrateTo = (url: string) => installation.command(["server", "--data-dir", installation.dataDir, "--migrate-to", url]);
    const busy = await migrateTo(target);
    expect(busy.code).toBe(75);
    expect(busy.stderr).toContain(`process ${first.pid}`);
    await first.kill();

    const refused = await migrateTo(target);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("already holds flow-run data");
    const unreachable = await migrateTo("postgres://someone:sesame@127.0.0.1:1/nothing");
    expect(unreachable.code).toBe(2);
    expect(unreachable.stderr).not.toContain("sesame");

    await installation.startServer();
    expect(violations(await installation.history(), { steps: CHAIN_STEPS })).toEqual([]);
    await other.startServer();
    expect(await other.allRuns()).toEqual([]);
  });
});
