import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { createDatabase } from "../../packages/flow-run/test/support/postgres-server.ts";
import { type Bench, CONCURRENCIES } from "../bench.ts";
import { type InstalledPeer, installPeer, NotInstalledError } from "../install-peer.ts";
import { dropDatabase } from "../installation.ts";
import type { PeerName } from "../options.ts";
import { startPeer } from "../peer-process.ts";
import type { Measured, Order } from "../peers/contestant.ts";
import { postgresCpuMs } from "../processes.ts";
import { KILLED_RUNS, survivesKill } from "../survives-kill.ts";

interface Peer {
  title: string;
  packages: readonly string[];
  /** So many times its rate is what we aim at. */
  goal: number;
}

const PEERS: Record<PeerName, Peer> = {
  dbos: { title: "DBOS", packages: ["@dbos-inc/dbos-sdk"], goal: 10 },
  mastra: { title: "Mastra", packages: ["@mastra/core", "@mastra/pg", "zod"], goal: 6 },
  restate: { title: "Restate", packages: ["@restatedev/restate-server", "@restatedev/restate-sdk"], goal: 4 },
  langgraph: {
    title: "LangGraph",
    packages: ["@langchain/langgraph", "@langchain/langgraph-checkpoint-postgres", "@langchain/core", "pg"],
    goal: 12,
  },
};

const WARM_UP = 300;
const KILL_PATIENCE_SECONDS = 120;

/** W3 on other engines, each in a process of its own, on the same PostgreSQL with an empty database (Restate: on its own store). */
export async function measurePeers(bench: Bench): Promise<void> {
  for (const name of bench.options.peers) {
    const peer = PEERS[name];
    console.error(`  ${peer.title}`);
    try {
      const installed = await installPeer(name, peer.packages);
      await withOrder(bench, (order) => showDurable(bench, peer, installed, order));
      await withOrder(bench, (order) => measureRate(bench, peer, installed, order));
    } catch (error) {
      const what = error instanceof NotInstalledError ? "not installed" : "failed";
      bench.report.add({ what: `W3 on ${peer.title}`, measured: `${what}: ${(error as Error).message.split("\n")[0]}` });
    }
  }
}

/** Runs `work` with an order for a contestant, without its task, whose database and directory are gone afterwards. */
async function withOrder(bench: Bench, work: (order: Omit<Order, "task">) => Promise<void>): Promise<void> {
  const { postgres, simulator, options } = bench;
  const directory = await mkdtemp(join(bench.directory, "peer-"));
  const databaseUrl = await createDatabase(postgres.url);
  try {
    await work({
      simulator: simulator.url,
      databaseUrl,
      directory,
      runs: options.runs,
      warmUpRuns: Math.min(WARM_UP, options.runs),
      concurrencies: CONCURRENCIES,
      seconds: options.peerSeconds,
    });
  } finally {
    await dropDatabase(postgres.url, new URL(databaseUrl).pathname.slice(1));
    await rm(directory, { recursive: true, force: true });
  }
}

async function showDurable({ report, simulator }: Bench, peer: Peer, { file }: InstalledPeer, order: Omit<Order, "task">): Promise<void> {
  const start = (task: Order["task"]) => startPeer(file, { ...order, runs: KILLED_RUNS, task }, KILL_PATIENCE_SECONDS);
  let first: ReturnType<typeof start> | undefined;
  const shown = await survivesKill(simulator, {
    async begin() {
      first = start("begin");
    },
    crash: async () => first?.kill(),
    resume: () => start("resume").ended,
  });
  report.add({ what: `${peer.title}, killed with ${KILLED_RUNS} runs in their third call`, measured: shown.measured, value: shown.value });
}

async function measureRate(bench: Bench, peer: Peer, { file, versions }: InstalledPeer, order: Omit<Order, "task">): Promise<void> {
  const { report, postgres } = bench;
  const { runs, seconds, warmUpRuns, concurrencies } = order;
  const before = postgresCpuMs(postgres.dataDir);
  const out = await startPeer(file, { ...order, task: "measure" }, (concurrencies.length + 1) * (seconds + 30) + 60).ended;
  const { rates, cpuMicrosPerRun, residentMb } = JSON.parse(out.trim().split("\n").at(-1)!) as Measured;
  const finished = rates.reduce((sum, rate) => sum + rate.runs, 0) + warmUpRuns;
  const database = Math.round(((postgresCpuMs(postgres.dataDir) - before) * 1000) / finished);
  const ours = bench.w3OnPostgres;
  const perSecond = rates.map((rate) => rate.runs / rate.seconds);
  const best = Math.max(...perSecond);
  const cut = rates.some((rate) => rate.runs < runs) ? `, ${seconds} s each` : "";
  report.add({
    what: `W3 on ${peer.title} (${versions})`,
    measured: `${best.toFixed(0)} runs/s (${perSecond.map((rate) => rate.toFixed(0)).join(", ")} at ${concurrencies.join(", ")}${cut})`,
    value: best,
    ...(ours && {
      ratio: `flow-run on PostgreSQL: ${(ours.rate / best).toFixed(1)} ×`,
      goal: `flow-run ≥ ${peer.goal} ×`,
      met: ours.rate / best >= peer.goal,
    }),
  });
  report.add({
    what: `CPU of a W3 run, ${peer.title}`,
    measured: `${cpuMicrosPerRun} µs its processes, ${database} µs PostgreSQL; ${residentMb} MB`,
    value: cpuMicrosPerRun + database,
    ...(ours && { ratio: `${((cpuMicrosPerRun + database) / ours.cpuMicros).toFixed(1)} × flow-run's` }),
  });
}
