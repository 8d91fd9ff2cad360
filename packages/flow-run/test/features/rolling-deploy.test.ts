import { setTimeout as pause } from "node:timers/promises";
import type { Run } from "@flow-run/spec";
import { describe, expect } from "vitest";
import { CHAIN, type Installation, type Server, test, until } from "../support/installation.ts";

/** A new release and new processes while runs are accepted and executed. Each run ends on the release that it was accepted for, and nobody notices anything. */

/** The nth version of the project says its number in every output, and has a step more than the one before it. */
function version(number: number): Record<string, string> {
  const extra = Array.from({ length: number - 1 }, (_, index) => `  - { id: extra_${index + 2}, set: { of: ${index + 2} } }\n`).join("");
  return {
    ...CHAIN,
    "flows/chain.yaml": `input: { text: string }
steps:
  - { id: first, run: ask, with: { task: outline, text: "\${{ input.text }}" } }
  - { id: second, run: ask, with: { task: "draft \${{ input.text }}", text: "\${{ steps.first.output }}" } }
${extra}output: { text: "\${{ steps.second.output }}", version: ${number} }
`,
    "flows/waits.yaml": `input: { text: string }
steps:
  - { id: approval, wait: { signal: approval, timeout: 10m } }
  - { id: last, run: ask, with: { task: "version ${number}", text: "\${{ input.text }}" } }
${extra}output: { version: ${number} }
`,
  };
}

const extras = (number: number) => Array.from({ length: number - 1 }, (_, index) => `extra_${index + 2}`);

/** New ones first, then SIGTERM for the old ones. */
async function replaceAll(installation: Installation, old: Server[]): Promise<Server[]> {
  const fresh: Server[] = [];
  for (const server of old) {
    fresh.push(await installation.startServer());
    server.signal("SIGTERM");
    expect(await server.ended).toEqual({ code: 0, signal: null });
  }
  return fresh;
}

describe("a rolling deploy under load", { timeout: 180_000 }, () => {
  test("lets runs in flight end on their release, begins new ones on the new one, and repeats no call", async ({ install }) => {
    const installation = await install({ database: "postgres", files: version(1), script: { latency: { min: "50ms", max: "400ms" } } });
    let servers = [await installation.startServer(), await installation.startServer()];
    await installation.deploy();
    const waiting = await installation.submit("waiting", { text: "through it all" }, "waits");
    await until(async () => (await installation.run(waiting)).status === "waiting", { what: "the run waits" });

    let deploying = true;
    const submitted: Promise<string>[] = [];
    const submitting = (async () => {
      for (let number = 0; deploying; number++) {
        submitted.push(installation.submit(`run-${number}`, { text: `text ${number}` }));
        await pause(25);
      }
    })();
    for (const number of [2, 3]) {
      installation.writeProject(version(number));
      await installation.deploy();
      const after = installation.submit(`after-${number}`, { text: `after deploy ${number}` });
      submitted.push(after);
      expect((await installation.run(await after)).release).toBe(number);
      servers = await replaceAll(installation, servers);
    }
    deploying = false;
    await submitting;
    await installation.request("POST", `/v1/runs/${waiting}/signals/approval`);

    const runs = await Promise.all([waiting, ...(await Promise.all(submitted))].map((id) => installation.ended(id)));
    for (const run of runs) await checkEnd(installation, run);
    for (const number of [1, 2, 3])
      expect(runs.filter((run) => run.release === number).length, `runs of release ${number}`).toBeGreaterThan(0);
    expect(await installation.asked()).toHaveLength(2 * (runs.length - 1) + 1);
  });
});

async function checkEnd(installation: Installation, run: Run): Promise<void> {
  expect(run).toMatchObject({ status: "succeeded", output: { version: run.release } });
  const steps = await installation.steps(run.id);
  const own = run.flow === "waits" ? ["approval", "last"] : ["first", "second"];
  expect(steps.map((step) => step.path)).toEqual([...own, ...extras(run.release)]);
  expect(steps.flatMap((step) => step.attempts).map((attempt) => attempt.status)).toEqual(
    Array.from({ length: run.usage.calls }, () => "succeeded"),
  );
}
