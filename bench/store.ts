// The store alone, without HTTP and without LLMs: what accepting and recording cost on each database.
//   node --conditions=flow-run-source bench/store.ts [--runs 10000] [--queued 0] [--postgres URL] [--only postgres|pglite]
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type ClaimedRun, type Database, openPglite, openPostgres, openStore, type Store } from "../packages/flow-run/src/store/index.ts";
import { createDatabase, startPostgres } from "../packages/flow-run/test/support/postgres-server.ts";
import { attemptEnd, attemptStart, newRun, step } from "../packages/flow-run/test/support/store-fixtures.ts";
import { postgresCpuMs } from "./processes.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10000" },
    /** Runs that wait in the queue behind those that are measured. */
    queued: { type: "string", default: "0" },
    postgres: { type: "string" },
    only: { type: "string" },
  },
});

const RUNS = Number(values.runs);
const CONCURRENCY = 500;

async function execute(store: Store, run: ClaimedRun): Promise<void> {
  const journal = store.journal(run);
  for (let number = 1; number <= 3; number++) {
    journal.appendAttemptStart(attemptStart(`${run.id}.${number}`, { stepPath: `s${number}` }));
    await journal.commit();
    journal.appendAttemptEnd(attemptEnd(`${run.id}.${number}`));
    journal.appendStep(step(`s${number}`, { seq: number, input: { ticket: "x".repeat(100) }, output: { text: "y".repeat(200) } }));
  }
  journal.appendEnd({ status: "succeeded", output: { text: "y".repeat(200) }, error: null });
  await journal.commit();
}

interface Cost {
  ms: number;
  /** CPU time of the main thread, of the rest of this process, and of the server: what a busy machine does not falsify. */
  mainMs: number;
  otherMs: number;
  serverMs: number;
}

async function timed(work: () => Promise<unknown>, serverMs = () => 0): Promise<Cost> {
  const [server, cpu, thread, start] = [serverMs(), process.cpuUsage(), process.threadCpuUsage(), performance.now()];
  await work();
  const ms = performance.now() - start;
  const sum = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;
  const mainMs = sum(process.threadCpuUsage(thread));
  return { ms, mainMs, otherMs: sum(process.cpuUsage(cpu)) - mainMs, serverMs: serverMs() - server };
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

async function idleLatency(store: Store): Promise<Record<string, string>> {
  const submit: number[] = [];
  const claim: number[] = [];
  const commit: number[] = [];
  for (let i = 0; i < 40; i++) {
    submit.push((await timed(() => store.submitRun(newRun({ priority: 100 })))).ms);
    const claimed: ClaimedRun[] = [];
    claim.push((await timed(async () => claimed.push(...(await store.claimRuns(1))))).ms);
    const run = claimed[0]!;
    const journal = store.journal(run);
    journal.appendAttemptStart(attemptStart(`${run.id}.1`));
    commit.push((await timed(() => journal.commit())).ms);
    journal.appendEnd({ status: "succeeded", output: null, error: null });
    await journal.commit();
  }
  return { "submit ms": median(submit).toFixed(1), "claim ms": median(claim).toFixed(1), "commit ms": median(commit).toFixed(1) };
}

async function drain(store: Store, runs: number): Promise<void> {
  const active = new Set<Promise<void>>();
  const owned = new Map<string, ClaimedRun>();
  const beat = setInterval(() => void store.heartbeat([...owned.values()]), 3_000);
  for (let begun = 0; begun < runs; ) {
    const claimed = await store.claimRuns(Math.min(100, runs - begun));
    begun += claimed.length;
    for (const run of claimed) {
      owned.set(run.id, run);
      const executing: Promise<void> = execute(store, run).finally(() => {
        active.delete(executing);
        owned.delete(run.id);
      });
      active.add(executing);
    }
    if (active.size >= CONCURRENCY) await Promise.race(active);
  }
  await Promise.all(active);
  clearInterval(beat);
}

async function measure(name: string, database: Database, serverMs?: () => number): Promise<Record<string, string>[]> {
  const store = await openStore({ database, onTrouble: console.error });
  for (let left = Number(values.queued); left > 0; left -= 5_000) {
    await Promise.all(Array.from({ length: Math.min(5_000, left) }, () => store.submitRun(newRun({ priority: -100 }))));
  }
  const submits: Cost[] = [];
  const executions: Cost[] = [];
  for (let round = 0; round < 3; round++) {
    submits.push(await timed(() => Promise.all(Array.from({ length: RUNS }, () => store.submitRun(newRun()))), serverMs));
    executions.push(await timed(() => drain(store, RUNS), serverMs));
  }
  const latency = await idleLatency(store);
  await store.close();
  const row = (what: string, costs: Cost[]) => ({
    what: `${name}: ${what}`,
    "per second": (RUNS / median(costs.map(({ ms }) => ms / 1000))).toFixed(0),
    "CPU µs each: main thread": (median(costs.map(({ mainMs }) => mainMs / RUNS)) * 1000).toFixed(0),
    "other threads": (median(costs.map(({ otherMs }) => otherMs / RUNS)) * 1000).toFixed(0),
    server: (median(costs.map((cost) => cost.serverMs / RUNS)) * 1000).toFixed(0),
  });
  console.log(`${name}, one at a time:`, latency);
  return [row("submit", submits), row("three-step run", executions)];
}

const results: Record<string, string>[] = [];
if (values.only !== "pglite") {
  const server = values.postgres ? null : await startPostgres();
  const database = await openPostgres({ connectionString: values.postgres ?? (await createDatabase(server!.url)) });
  results.push(...(await measure("PostgreSQL", database, server ? () => postgresCpuMs(server.dataDir) : undefined)));
  await database.close();
  await server?.stop();
}
if (values.only !== "postgres") {
  const directory = mkdtempSync(path.join(os.tmpdir(), "flow-run-bench-"));
  const database = await openPglite({
    directory,
    onFatal: (error) => {
      throw error;
    },
  });
  results.push(...(await measure("embedded", database)));
  await database.close();
  rmSync(directory, { recursive: true });
}
console.table(results);
