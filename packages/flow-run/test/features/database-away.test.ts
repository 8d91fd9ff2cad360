import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished } from "vitest";
import { startFaultyProxy } from "../support/faulty-proxy.ts";
import { CHAIN_STEPS, type Installation, test, until } from "../support/installation.ts";
import { violations } from "../support/invariants.ts";
import { createDatabase, type PostgresServer, startPostgres } from "../support/postgres-server.ts";

/** PostgreSQL goes away and comes back, from a lost connection to a crash of the whole server. Nothing that was accepted is lost. */
const TIMEOUT = { timeout: 240_000 };

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterAll(() => postgres.stop());

async function checked(installation: Installation): Promise<void> {
  expect(violations(await installation.history(), { steps: CHAIN_STEPS })).toEqual([]);
}

/** Submits so many runs from as many clients, each of which repeats its request until it is accepted. */
function submitMany(installation: Installation, name: string, count: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await pause(index * 10);
      return installation.submit(`${name}-${index}`, { text: `text of ${name}-${index}` });
    }),
  );
}

describe("a PostgreSQL that is not there yet", TIMEOUT, () => {
  test("is waited for with a line in the log, and then served from", async ({ install }) => {
    const installation = await install({ database: "postgres", databaseUrl: await createDatabase(postgres.url) });
    await postgres.halt("fast");
    let away = true;
    try {
      const program = installation.launchServer();
      expect(JSON.parse(await program.said(/waiting for the database/))).toMatchObject({
        level: "warn",
        reason: expect.stringContaining("ECONNREFUSED"),
        secondsLeft: expect.any(Number),
      });
      await postgres.start();
      away = false;
      await installation.serverOf(program);
    } finally {
      if (away) await postgres.start();
    }
    await installation.deploy();
    await installation.submit("served", { text: "served" });
    await checked(installation);
  });

  test.for([
    ["at the commit of a migration", "COMMIT"],
    ["when it begins to listen to other servers", 'LISTEN "flow_run_'],
  ] as const)("goes away while the server begins, %s, and is waited for as well", async ([, moment], { install }) => {
    const proxy = await startFaultyProxy(await createDatabase(postgres.url));
    onTestFinished(() => proxy.close());
    const installation = await install({ database: "postgres", databaseUrl: proxy.url });
    const lost = proxy.loseAnswerOf(moment);
    const program = installation.launchServer();
    await lost;
    expect(JSON.parse(await program.said(/waiting for the database/))).toMatchObject({ level: "warn" });
    await installation.serverOf(program);
    await installation.deploy();
    await installation.submit("served", { text: "served" });
    await checked(installation);
  });

  test("is given up on after --database-wait, with a message that says what to do", async ({ install }) => {
    const nobody = "postgres://someone:sesame@127.0.0.1:1/nothing";
    const installation = await install({ database: "postgres", databaseUrl: nobody });
    const { code, stderr } = await installation.command(["server", "--port", "0", "--database-wait", "600ms"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/error: PostgreSQL did not answer within 0.6 s \(.*ECONNREFUSED.*\)\. Start it, or check DATABASE_URL/);
    expect(stderr).toContain("waiting for the database");
    expect(stderr).not.toContain("sesame");
  });
});

describe("a PostgreSQL that goes away under a server", TIMEOUT, () => {
  test("makes submissions 503 with Retry-After, and what was accepted before ends when it is back, even after the leases", async ({
    install,
  }) => {
    const installation = await install({
      database: "postgres",
      databaseUrl: await createDatabase(postgres.url),
      script: { latency: "1500ms" },
    });
    const server = await installation.startServer();
    await installation.deploy();
    await submitMany(installation, "before", 20);
    await installation.askedTimes(20);
    await postgres.halt("fast");
    try {
      const refused = await installation.submitOnce("meanwhile", { text: "meanwhile" });
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({
        type: expect.stringContaining("database-unavailable"),
        detail: expect.not.stringContaining("127.0.0.1"),
      });
      expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    } finally {
      await postgres.start();
    }
    await until(async () => (await fetch(`${server.url}/readyz`)).ok, { what: "the server is ready again" });
    await installation.submit("meanwhile", { text: "meanwhile" });
    await checked(installation);
    expect(installation.accepted.size).toBe(21);
    expect(server.exit()).toBe(null);
  });

  test("by crashing three times under load loses nothing", async ({ install }) => {
    const installation = await install({
      database: "postgres",
      databaseUrl: await createDatabase(postgres.url),
      script: { latency: { min: "20ms", max: "300ms" } },
    });
    const server = await installation.startServer();
    await installation.deploy();
    const submissions: Promise<string[]>[] = [];
    for (let crash = 0; crash < 3; crash++) {
      submissions.push(submitMany(installation, `crash-${crash}`, 30));
      await installation.askedTimes((crash + 1) * 15);
      await postgres.restart("immediate");
    }
    await Promise.all(submissions);
    await checked(installation);
    expect(installation.accepted.size).toBe(90);
    expect(server.exit()).toBe(null);
  });

  test("by losing all its connections again and again forgets no run that it answered with 202", async ({ install }) => {
    const url = await createDatabase(postgres.url);
    const installation = await install({ database: "postgres", databaseUrl: url, script: { latency: { min: "5ms", max: "50ms" } } });
    const server = await installation.startServer();
    await installation.deploy();
    const admin = new pg.Client({ connectionString: postgres.url });
    await admin.connect();
    let storming = true;
    let killed = 0;
    const storm = (async () => {
      while (storming) {
        const { rowCount } = await admin.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'flow-run%'",
          [new URL(url).pathname.slice(1)],
        );
        killed += rowCount ?? 0;
        await pause(60);
      }
    })();
    try {
      await submitMany(installation, "storm", 300);
    } finally {
      storming = false;
      await storm;
      await admin.end();
    }
    expect(killed).toBeGreaterThan(20);
    await checked(installation);
    expect(installation.accepted.size).toBe(300);
    expect(server.exit()).toBe(null);
  });
});
