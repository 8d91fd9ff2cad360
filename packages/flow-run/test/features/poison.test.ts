import pg from "pg";
import { describe, expect } from "vitest";
import { type DatabaseKind, type Installation, test } from "../support/installation.ts";

/** A run that kills the server that executes it, beside runs that are slow to make their first step. */

const FILES = {
  "flow-run.yaml": `name: poison
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini, retries: 0 } }
`,
  "prompts/innocent.prompt": "---\ninput: { schema: { n: number } }\n---\nslow {{n}}\n",
  "prompts/culprit.prompt": "quick\n",
};

const SCRIPT = { rules: [{ when: { contains: "slow" }, latency: "250ms" }] };

const INNOCENTS = 50;

/** The server dies as soon as the culprit has its first answer. */
const FAULT = { FLOW_RUN_TEST_FAULT: "before-end@culprit:kill" };

/** What the queue notices ten seconds later by itself. */
async function losesItsLeases({ databaseUrl }: Installation): Promise<void> {
  if (databaseUrl === undefined) return;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("UPDATE pgboss.job SET heartbeat_on = now() - interval '11 seconds' WHERE state = 'active'");
  await client.end();
}

for (const database of ["postgres", "pglite"] as const satisfies readonly DatabaseKind[]) {
  describe(`on ${database === "postgres" ? "PostgreSQL" : "the embedded database"}`, () => {
    test("a run that kills its server ends as poisoned after five deaths, and takes none of its neighbours along", {
      timeout: 240_000,
    }, async ({ install }) => {
      const installation = await install({ database, files: FILES, script: SCRIPT });
      let server = await installation.startServer({ env: FAULT });
      await installation.deploy();
      const innocents = Array.from({ length: INNOCENTS }, (_, n) => installation.submit(`innocent ${n}`, { n }, "innocent"));
      const culprit = await installation.submit("culprit", {}, "culprit");
      for (let deaths = 1; deaths <= 5; deaths++) {
        expect(await server.ended, `death ${deaths}`).toEqual({ code: null, signal: "SIGKILL" });
        await losesItsLeases(installation);
        server = await installation.startServer({ env: FAULT });
      }
      expect(await installation.ended(culprit)).toMatchObject({ status: "failed", error: { code: "poisoned", retryable: false } });
      const ended = await Promise.all(innocents.map(async (id) => installation.ended(await id)));
      expect(ended.map((run) => run.status)).toEqual(ended.map(() => "succeeded"));
      expect(server.exit()).toBeNull();
    });
  });
}
