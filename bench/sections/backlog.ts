import { setTimeout as sleep } from "node:timers/promises";
import { createRunIds } from "../../packages/flow-run/src/server/run-id.ts";
import { openPostgres, openStore } from "../../packages/flow-run/src/store/index.ts";
import { newRun } from "../../packages/flow-run/test/support/store-fixtures.ts";
import type { Bench } from "../bench.ts";
import { type Installation, withInstallation } from "../installation.ts";
import { postgresCpuMs, stop } from "../processes.ts";

const GOAL = 0.9;
const ROUNDS = 3;
/** Runs that are dispatched before the clock starts, and that stay queued when it stops. */
const MARGIN = 1_500;
/** A server that has accepted a burst looks at its statistics once more, two seconds later. */
const SETTLE_MS = 3_000;

interface Dispatch {
  /** Runs a second. */
  rate: number;
  databaseMicros: number;
}

/**
 * How fast a worker takes runs of one call from a long queue, against a queue that holds little more than what is measured. Best of rounds that
 * alternate, so that a machine that gets busier meanwhile is unjust to both.
 */
export async function measureBacklog(bench: Bench): Promise<void> {
  const { backlog, runs } = bench.options;
  await withInstallation(bench, "PostgreSQL", (shortQueue) =>
    withInstallation(bench, "PostgreSQL", async (longQueue) => {
      await prepare(shortQueue);
      await prepare(longQueue);
      const fillSeconds = await fill(longQueue, backlog);
      let short: Dispatch = { rate: 0, databaseMicros: Number.POSITIVE_INFINITY };
      let long = short;
      for (let round = 0; round < ROUNDS; round++) {
        const [a, b] = [await dispatch(bench, shortQueue), await dispatch(bench, longQueue)];
        console.error(`  round ${round + 1}: ${text(a)}; with the backlog ${text(b)}`);
        short = better(short, a);
        long = better(long, b);
      }
      const row = (what: string, best: Dispatch) => ({ what, measured: text(best), value: best.rate });
      bench.report.add(row(`dispatch from a queue of ${runs + 2 * MARGIN} runs of one call`, short));
      bench.report.add({
        ...row(`dispatch with ${backlog} more queued`, long),
        ratio: `${(long.rate / short.rate).toFixed(2)} × (filled in ${fillSeconds.toFixed(0)} s)`,
        goal: `≥ ${GOAL} ×`,
        met: long.rate / short.rate >= GOAL,
      });
    }),
  );
}

function text({ rate, databaseMicros }: Dispatch): string {
  return `${rate.toFixed(0)} runs/s, ${databaseMicros.toFixed(0)} µs PostgreSQL a run`;
}

function better(a: Dispatch, b: Dispatch): Dispatch {
  return { rate: Math.max(a.rate, b.rate), databaseMicros: Math.min(a.databaseMicros, b.databaseMicros) };
}

/** A database with the release, and nobody who works on it. */
async function prepare(installation: Installation): Promise<void> {
  const api = await installation.serve("api");
  await installation.deploy();
  await stop(api);
}

/** One round with a worker that has just started, which finds what is measured, and more, in the queue. */
async function dispatch({ simulator, postgres, options }: Bench, installation: Installation): Promise<Dispatch> {
  await fill(installation, options.runs + 2 * MARGIN);
  await simulator.forget();
  const worker = await installation.serve("worker");
  const point = async (requests: number) => {
    const reached = await whenAsked(simulator, requests);
    return { requests: reached, at: performance.now(), databaseMs: postgresCpuMs(postgres.dataDir) };
  };
  const start = await point(MARGIN);
  const end = await point(start.requests + options.runs);
  await stop(worker);
  const runs = end.requests - start.requests;
  return { rate: (runs * 1000) / (end.at - start.at), databaseMicros: ((end.databaseMs - start.databaseMs) * 1000) / runs };
}

/** Queues runs as `POST /v1/flows/answer/runs` does, without HTTP: with the same ids through the same store, so by the same statements. Resolves with seconds. */
async function fill({ databaseUrl }: Installation, count: number): Promise<number> {
  const database = await openPostgres({ connectionString: databaseUrl! });
  // Statistics that autovacuum is looking at this very moment, say; it goes on by itself.
  const onTrouble = (error: unknown, doing: string) => console.error(`  trouble while ${doing}: ${(error as Error).message}`);
  const store = await openStore({ database, onTrouble });
  const newId = createRunIds();
  const start = performance.now();
  for (let left = count; left > 0; left -= 5_000) {
    const texts = Array.from({ length: Math.min(5_000, left) }, (_, index) => `question ${left - index}`);
    await Promise.all(texts.map((text) => store.submitRun(newRun({ id: newId(), flow: "answer", input: { text } }))));
  }
  const seconds = (performance.now() - start) / 1000;
  await sleep(SETTLE_MS);
  await store.close();
  await database.close();
  return seconds;
}

async function whenAsked(simulator: Bench["simulator"], requests: number): Promise<number> {
  for (const until = Date.now() + 300_000; Date.now() < until; await sleep(10)) {
    const now = await simulator.requests();
    if (now >= requests) return now;
  }
  throw new Error(`the simulator got fewer than ${requests} requests in 300 s`);
}
