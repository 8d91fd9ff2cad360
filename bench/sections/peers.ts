import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase } from "../../packages/flow-run/test/support/postgres-server.ts";
import { type Bench, CONCURRENCIES } from "../bench.ts";
import { installPeer, NotInstalledError } from "../install-peer.ts";
import { dropDatabase } from "../installation.ts";
import type { PeerName } from "../options.ts";
import type { Measured, Order } from "../peers/contestant.ts";
import { contestant, kill, postgresCpuMs } from "../processes.ts";
import { survivesKill } from "../survives-kill.ts";

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

/** W3 on other engines, each in a process of its own, on the same PostgreSQL with an empty database (Restate: on its own store). */
export async function measurePeers(bench: Bench): Promise<void> {
  for (const name of bench.options.peers) {
    const peer = PEERS[name];
    console.error(`  ${peer.title}`);
    try {
      const { file, versions } = await installPeer(name, peer.packages);
      await measurePeer(bench, peer, file, versions);
    } catch (error) {
      const what = error instanceof NotInstalledError ? "not installed" : "failed";
      bench.report.add({ what: `W3 on ${peer.title}`, measured: `${what}: ${(error as Error).message.split("\n")[0]}` });
    }
  }
}

async function measurePeer(bench: Bench, peer: Peer, file: string, versions: string): Promise<void> {
  const { report, postgres } = bench;
  const { runs, peerSeconds } = bench.options;
  await withOrder(async (order) =>
    report.add({ what: `${peer.title} after kill -9`, ...(await survivesKill(bench.simulator, file, order)) }),
  );
  await withOrder(async (order) => {
    const before = postgresCpuMs(postgres.dataDir);
    const { rates, cpuMicrosPerRun, residentMb } = await measured(file, order, (3 * (peerSeconds + 30) + 120) * 1000);
    const finished = rates.reduce((sum, rate) => sum + rate.runs, 0) + order.warmUpRuns;
    const database = Math.round(((postgresCpuMs(postgres.dataDir) - before) * 1000) / finished);
    const ratesOf = rates.map((rate) => rate.runs / rate.seconds);
    const best = Math.max(...ratesOf);
    const cut = rates.some((rate) => rate.runs < runs) ? `, ${peerSeconds} s each` : "";
    const ratio = bench.w3OnPostgres === undefined ? undefined : bench.w3OnPostgres / best;
    report.add({
      what: `W3 on ${peer.title} (${versions})`,
      measured: `${best.toFixed(0)} runs/s (${ratesOf.map((rate) => rate.toFixed(0)).join(", ")} at ${CONCURRENCIES.join(", ")}${cut})`,
      value: best,
      ...(ratio === undefined
        ? {}
        : { ratio: `flow-run: ${ratio.toFixed(1)} ×`, goal: `flow-run ≥ ${peer.goal} ×`, met: ratio >= peer.goal }),
    });
    report.add({
      what: `CPU of a W3 run, ${peer.title}`,
      measured: `${cpuMicrosPerRun} µs its processes, ${database} µs PostgreSQL; ${residentMb} MB`,
    });
  });

  async function withOrder(work: (order: Omit<Order, "task">) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), "flow-run-bench-peer-"));
    const databaseUrl = await createDatabase(postgres.url);
    try {
      await work({
        simulator: bench.simulator.url,
        databaseUrl,
        directory,
        runs,
        warmUpRuns: Math.min(WARM_UP, runs),
        concurrencies: CONCURRENCIES,
        seconds: peerSeconds,
      });
    } finally {
      await dropDatabase(postgres.url, new URL(databaseUrl).pathname.slice(1));
      await rm(directory, { recursive: true, force: true });
    }
  }
}

async function measured(file: string, order: Omit<Order, "task">, patienceMs: number): Promise<Measured> {
  const child = contestant(file, { ...order, task: "measure" });
  const timer = setTimeout(() => kill(child), patienceMs);
  let out = "";
  let complaint = "";
  child.stdout!.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    complaint = (complaint + chunk).slice(-20_000);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  const result = out.trim().split("\n").at(-1) ?? "";
  if (code === 0 && result.startsWith("{")) return JSON.parse(result) as Measured;
  console.error(complaint);
  throw new Error(code === null ? `did not end within ${patienceMs / 1000} s, or was killed` : `ended with ${code}`);
}
