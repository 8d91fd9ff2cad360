// The promise of flow-run, shown: runs are started over HTTP, the server is killed while they are under way, started again, and every run
// ends without a finished step being asked again. Counted on the side of the (simulated) LLM. Exits 1 when a run is lost or a step repeated.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Run, Step } from "@flow-run/spec";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = join(root, "packages/flow-run/bin/flow-run.js");
const project = join(root, "examples/support-desk");
const adminKey = "demo-admin-key-for-this-machine-only";

interface SimulatedRequest {
  at: string;
  attempt: string | null;
  bodySha256: string;
}

const children = new Set<ChildProcess>();
const dataDir = await mkdtemp(join(tmpdir(), "flow-run-demo-"));
try {
  process.exitCode = await demo();
} finally {
  for (const child of children) child.kill("SIGKILL");
  await rm(dataDir, { recursive: true, force: true });
}

async function demo(): Promise<number> {
  const [serverPort, simulatorPort] = [await freePort(), await freePort()];
  const server = `http://127.0.0.1:${serverPort}`;
  const simulator = `http://127.0.0.1:${simulatorPort}`;
  const env = {
    FLOW_RUN_ADMIN_KEY: adminKey,
    FLOW_RUN_API_KEY: adminKey,
    FLOW_RUN_URL: server,
    SIMULATOR_URL: `${simulator}/v1`,
    SIMULATOR_KEY: "none",
  };
  const headers = { authorization: `Bearer ${adminKey}`, "x-flow-run-environment": "demo", "content-type": "application/json" };

  say("simulator", "an LLM that answers after about 150 ms, over HTTP in OpenAI's protocol");
  const llm = start(["simulator", "--port", String(simulatorPort), "--latency", "150ms", "--script", join(project, "simulator.yaml")], env);
  await until(`${simulator}/_totals`, llm);

  const serve = () => start(["server", "--port", String(serverPort), "--data-dir", dataDir, "--concurrency", "10"], env);
  say("server", "on the embedded database, in a fresh folder");
  let flowRun = serve();
  await until(`${server}/readyz`, flowRun);

  say("deploy", "examples/support-desk to the environment demo");
  await finished(start(["deploy", "--env", "demo", "--project", project, "--message", "demo"], env));

  const tickets = (await readFile(join(project, "datasets/tickets.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { id: string });
  const ids = await Promise.all(
    tickets.map(async (ticket) => {
      const response = await fetch(`${server}/v1/flows/handle_ticket/runs`, {
        method: "POST",
        headers: { ...headers, "idempotency-key": ticket.id },
        body: JSON.stringify({ input: ticket, tags: ["demo"] }),
      });
      if (response.status !== 202) throw new Error(`The server answered ${response.status}: ${await response.text()}`);
      return ((await response.json()) as { id: string }).id;
    }),
  );
  say("runs", `${ids.length} started, fire and forget`);

  const enough = tickets.length;
  while ((await asked(simulator)).length < enough) await sleep(20);
  flowRun.kill("SIGKILL");
  const killedAt = Date.now();
  await gone(flowRun);
  const before = await asked(simulator);
  say("kill -9", `the server is dead in the middle of its work, ${before.length} LLM requests were sent`);

  flowRun = serve();
  await until(`${server}/readyz`, flowRun);
  say("server", `is back after ${((Date.now() - killedAt) / 1000).toFixed(1)} s on the same folder`);

  const runs = await Promise.all(ids.map((id) => ended(server, id, headers)));
  const requests = await asked(simulator);
  const rows: string[][] = [["run", "ticket", "status", "category", "tokens", "cost", "steps kept"]];
  let kept = 0;
  let repeated = 0;
  for (const [index, run] of runs.entries()) {
    const steps = await stepsOf(server, run.id, headers);
    const finishedBefore = steps.filter(
      (step) => step.finishedAt !== null && Date.parse(step.finishedAt) < killedAt && step.attempts.length > 0,
    );
    const again = finishedBefore.filter((step) => askedAfter(requests, step, killedAt)).length;
    kept += finishedBefore.length - again;
    repeated += again;
    const output = run.output as { category?: string } | null;
    const { usage } = run;
    rows.push([
      run.id,
      tickets[index]!.id,
      run.status,
      output?.category ?? "-",
      String(usage.inputTokens + usage.cacheReadTokens + usage.outputTokens + usage.reasoningTokens),
      cost(run, steps),
      `${finishedBefore.length - again} of ${finishedBefore.length}`,
    ]);
  }
  console.log(`\n${table(rows)}\n`);

  const lost = runs.filter((run) => run.status !== "succeeded").length;
  const resent = requests.length - tickets.length * 3;
  console.log(`${runs.length - lost} of ${runs.length} runs succeeded, ${lost} lost.`);
  console.log(`${kept} steps had finished before the kill and were not asked again; ${repeated} were repeated.`);
  console.log(
    `${requests.length} LLM requests for ${tickets.length * 3} steps: ${resent} calls were under way when the server died and had to be sent again.`,
  );
  flowRun.kill("SIGTERM");
  await gone(flowRun);
  return lost > 0 || repeated > 0 || kept === 0 ? 1 : 0;
}

/** A call that was cut off may have been billed: its price is unknown, so the sum is a lower bound and says so. */
function cost(run: Run, steps: Step[]): string {
  if (run.costUsd !== null) return `$${run.costUsd.toFixed(6)}`;
  const known = steps.flatMap((step) => step.attempts).reduce((sum, attempt) => sum + (attempt.costUsd ?? 0), 0);
  return `$${known.toFixed(6)} + ${run.unpricedCalls} call cut off`;
}

/** Whether the LLM was asked for the step once more after the kill: the same request, byte for byte. */
function askedAfter(requests: SimulatedRequest[], step: Step, killedAt: number): boolean {
  const attempts = new Set(step.attempts.map((attempt) => attempt.id));
  const bodies = new Set(
    requests.filter((request) => request.attempt !== null && attempts.has(request.attempt)).map((request) => request.bodySha256),
  );
  return requests.some((request) => bodies.has(request.bodySha256) && Date.parse(request.at) > killedAt);
}

async function asked(simulator: string): Promise<SimulatedRequest[]> {
  return ((await (await fetch(`${simulator}/_requests`)).json()) as { requests: SimulatedRequest[] }).requests;
}

async function ended(server: string, id: string, headers: Record<string, string>): Promise<Run> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const run = (await (await fetch(`${server}/v1/runs/${id}?wait=30`, { headers })).json()) as Run;
    if (run.finishedAt !== null || Date.now() > deadline) return run;
  }
}

async function stepsOf(server: string, id: string, headers: Record<string, string>): Promise<Step[]> {
  return ((await (await fetch(`${server}/v1/runs/${id}/steps`, { headers })).json()) as { steps: Step[] }).steps;
}

function start(args: string[], env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: root,
    env: { ...process.env, ...env, LOG_LEVEL: "warn" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function finished(child: ChildProcess): Promise<void> {
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`flow-run ${child.spawnargs.slice(2).join(" ")} ended with ${code}`);
}

function gone(child: ChildProcess): Promise<void> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()));
}

/** Until the child answers there. Throws when it ends instead. */
async function until(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`flow-run ${child.spawnargs[2]} ended with ${child.exitCode}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {}
    if (Date.now() > deadline) throw new Error(`${url} did not answer within a minute`);
    await sleep(50);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

function say(who: string, what: string): void {
  console.log(`${who.padEnd(10)} ${what}`);
}

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")).join("\n");
}
