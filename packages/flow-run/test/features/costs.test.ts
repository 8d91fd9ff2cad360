import type { CostReport, Json, Run, RunCosts } from "@flow-run/spec";
import { describe, expect } from "vitest";
import { CHAIN, test, until } from "../support/installation.ts";

const RETENTION = "environments: { dev: { retention: { contents: 1s, runs: 2s } } }\n";

describe("costs", { timeout: 120_000 }, () => {
  test("are told by what is asked for and explained line by line, and stay when the runs are pruned", async ({ install }) => {
    const rules: Json = [
      { when: { contains: "outline: unpriced", nth: 1 }, usage: "none" },
      { usage: { inputTokens: 1_000, outputTokens: 100, cacheReadTokens: 10 } },
    ];
    const installation = await install({ database: "pglite", script: { rules } });
    const server = await installation.startServer();
    const cli = (...args: string[]) => installation.command([...args, "--env", "dev", "--project", installation.project]);
    const costs = async (...args: string[]) => JSON.parse((await cli("costs", "--json", ...args)).stdout) as CostReport;

    await installation.deploy();
    expect((await cli("costs")).stdout).toContain("Nothing ran in this time.");
    const ids = await Promise.all(["a", "b", "unpriced"].map((text) => installation.submit(text, { text })));
    const runs: Run[] = [];
    for (const id of ids) runs.push(await installation.ended(id));
    expect(runs.map((run) => [run.status, run.costUsd])).toEqual([
      ["succeeded", 0.00135075],
      ["succeeded", 0.00135075],
      ["succeeded", null],
    ]);

    const report = await costs("--group-by", "flow,model");
    expect(report.costs).toMatchObject([
      {
        flow: "chain",
        model: "gpt-5-mini",
        runs: null,
        costUsd: null,
        pricedCostUsd: 0.003602,
        unpricedCalls: 1,
        usage: { calls: 9, inputTokens: 8_000 },
      },
    ]);
    expect((await costs("--group-by", "release")).costs).toMatchObject([{ release: 1, runs: 3, pricedCostUsd: 0.003602 }]);
    const table = (await cli("costs", "--group-by", "day,flow")).stdout;
    expect(table).toMatch(/^day +flow +runs +calls +in +out +cost$/m);
    expect(table).toMatch(/^\d{4}-\d\d-\d\d +chain +3 +9 +8080 +800 +\$0\.003602 \+ 1 call unknown$/m);

    const explained = (await cli("costs", "explain", ids[0]!)).stdout;
    expect(explained).toMatch(/^first +1 +wire\/gpt-5-mini +1000 +input +0\.25 +0\.00025 +override:\w+$/m);
    expect(explained).toMatch(/^ +10 +cache read +0\.025 +0\.00000025$/m);
    expect(explained).toMatch(/^ +100 +output +2 +0\.0002$/m);
    expect(explained).toMatch(/^ +sum +0\.00135075$/m);
    const unknown = (await cli("costs", "explain", ids[2]!)).stdout;
    expect(unknown).toMatch(/^first +1 +wire\/gpt-5-mini +the vendor told no usage +unknown/m);
    expect(unknown).toContain("1 call has no known cost");
    const raw = JSON.parse((await cli("costs", "explain", ids[0]!, "--json")).stdout) as RunCosts;
    for (const call of raw.calls) {
      expect(call.lines!.reduce((sum, line) => sum + Math.round(line.costUsd * 1e15), 0)).toBe(Math.round(call.costUsd! * 1e15));
    }

    for (const [args, said] of [
      [["--group-by", "flow,modle"], 'costs are not told apart by "modle"; did you mean "model"?'],
      [["--from", "2026-02-30"], "from: is no day; write YYYY-MM-DD"],
      [["--from", "2026-03-02", "--to", "2026-03-01"], "from: is after `to` (2026-03-01)"],
    ] as const) {
      expect(await cli("costs", ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
    }
    expect((await cli("costs", "explain", "run_unknown")).code).toBe(2);

    const groupings = ["flow,model", "day,release", "provider"];
    const before = await Promise.all(groupings.map((groups) => costs("--group-by", groups)));
    installation.writeProject({ "flow-run.yaml": CHAIN["flow-run.yaml"] + RETENTION });
    await installation.deploy();
    for (const id of ids) {
      await until(
        async () =>
          (await fetch(`${server.url}/v1/runs/${id}`, { headers: { authorization: `Bearer ${installation.adminKey}` } })).status === 404,
        {
          what: `${id} is pruned`,
        },
      );
    }
    expect(await installation.allRuns()).toEqual([]);
    expect(await Promise.all(groupings.map((groups) => costs("--group-by", groups)))).toEqual(before);
    // The key is kept longer than the run: the same request starts nothing new.
    expect(await installation.submit("a", { text: "a" })).toBe(ids[0]);
  });
});
