import { describe, expect } from "vitest";
import { type DatabaseKind, type Installation, test, until } from "../support/installation.ts";

const FILES = {
  "flow-run.yaml": `name: limits
providers: { wire: { type: openai, baseUrl: "\${{ secrets.SIMULATOR_URL }}/v1", apiKey: none } }
models: { default: { use: wire/gpt-5-mini, retries: 0 } }
environments:
  dev:
    limits: { flows: { narrow: 2 } }
`,
  "prompts/ask.prompt": "---\ninput: { schema: { text: string } }\n---\n{{text}}\n",
  "flows/narrow.yaml": "steps:\n  - { id: a, run: ask, with: { text: narrow } }\nlimits: { concurrency: 1 }\n",
  "flows/lone.yaml":
    "steps:\n  - { id: a, run: ask, with: { text: lone } }\n  - { id: w, wait: { signal: go } }\nlimits: { concurrency: 1 }\n",
  "flows/wide.yaml": "steps:\n  - { id: a, run: ask, with: { text: wide } }\n",
};

const SCRIPT = { rules: [{ when: { contains: "narrow" }, latency: "150ms" }] };

/** How many calls to the LLM with this text were under way at once, at most. */
async function atOnce(installation: Installation, text: string): Promise<number> {
  const runs = await installation.allRuns();
  const edges: [number, number][] = [];
  for (const run of runs.filter(({ flow }) => flow === text)) {
    for (const { attempts } of await installation.steps(run.id)) {
      for (const { startedAt, finishedAt } of attempts) edges.push([Date.parse(startedAt), 1], [Date.parse(finishedAt!), -1]);
    }
  }
  let [most, now] = [0, 0];
  for (const [, change] of edges.sort(([a, x], [b, y]) => a - b || x - y)) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

for (const database of ["postgres", "pglite"] as const satisfies readonly DatabaseKind[]) {
  describe(`limits of concurrency on ${database === "postgres" ? "PostgreSQL" : "the embedded database"}`, () => {
    test("hold over all servers, let other flows pass, and follow a new release", { timeout: 120_000 }, async ({ install }) => {
      const installation = await install({ database, files: FILES, script: SCRIPT });
      await installation.startServer();
      if (database === "postgres") for (let worker = 0; worker < 2; worker++) await installation.startServer({ role: "worker" });
      await installation.deploy();
      const narrow = await Promise.all(Array.from({ length: 12 }, (_, n) => installation.submit(`narrow ${n}`, {}, "narrow")));
      const wide = await installation.submit("wide", {}, "wide");
      await installation.ended(wide);
      expect((await Promise.all(narrow.map((id) => installation.run(id)))).some((run) => run.status === "queued")).toBe(true);
      for (const id of narrow) expect(await installation.ended(id)).toMatchObject({ status: "succeeded" });
      // By the environment, which comes before what the flow says of itself.
      expect(await atOnce(installation, "narrow")).toBe(2);

      installation.writeProject({ "flow-run.yaml": FILES["flow-run.yaml"].replace("narrow: 2", "narrow: 4") });
      await installation.deploy();
      const more = await Promise.all(Array.from({ length: 12 }, (_, n) => installation.submit(`more ${n}`, {}, "narrow")));
      for (const id of more) await installation.ended(id);
      expect(await atOnce(installation, "narrow")).toBe(4);
    });

    test("give the slot of a run that waits for a signal to the next", { timeout: 120_000 }, async ({ install }) => {
      const installation = await install({ database, files: FILES, script: SCRIPT });
      await installation.startServer();
      await installation.deploy();
      const first = await installation.submit("first", {}, "lone");
      const second = await installation.submit("second", {}, "lone");
      const waits = (id: string) => until(async () => (await installation.run(id)).status === "waiting", { what: `${id} waits` });
      await Promise.all([waits(first), waits(second)]);
      for (const id of [first, second]) {
        expect((await installation.request("POST", `/v1/runs/${id}/signals/go`, { body: {} })).status).toBeLessThan(300);
        expect(await installation.ended(id)).toMatchObject({ status: "succeeded" });
      }
    });
  });
}

test("a limit of a flow that does not exist is told where it stands", async ({ install }) => {
  const installation = await install({ database: "pglite", files: FILES });
  installation.writeProject({ "flow-run.yaml": FILES["flow-run.yaml"].replace("narrow: 2", "narow: 2") });
  const { code, stdout } = await installation.command(["validate", "--project", installation.project, "--json"]);
  expect(code).not.toBe(0);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { severity: string }[] };
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([
    expect.objectContaining({ code: "unknown-flow", file: "flow-run.yaml", line: 6, hint: 'did you mean "narrow"?' }),
  ]);
});
