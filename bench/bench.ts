import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "../packages/flow-run/test/support/postgres-server.ts";
import { plainFetch, undiciPool } from "./floors.ts";
import type { Options } from "./options.ts";
import { afterwards, stopAll } from "./processes.ts";
import { Report } from "./report.ts";
import { Simulator } from "./simulator.ts";

export const CONCURRENCIES = [64, 256, 1_000];

export interface Floors {
  /** Runs a second by plain `fetch`, nothing durable. */
  fetch: number;
  /** Runs a second over an undici pool, nothing durable: the limit of client and simulator. */
  limit: number;
}

/** W3 on PostgreSQL in one process: what peers are compared with. */
export interface W3OnPostgres {
  /** Runs a second. */
  rate: number;
  /** CPU time of a run, server and database together. */
  cpuMicros: number;
}

/** What all sections of one pass share. */
export interface Bench {
  options: Options;
  report: Report;
  simulator: Simulator;
  postgres: PostgresServer;
  /** For files; it is gone when the bench is. */
  directory: string;
  /** Measured once, by the first section that asks. */
  floors(): Promise<Floors>;
  /** Once it was measured. */
  w3OnPostgres?: W3OnPostgres;
  close(): Promise<void>;
}

export async function openBench(options: Options): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), "flow-run-bench-"));
  const cleaner = afterwards(`sleep 1; rm -rf '${directory}'`);
  // As one would run it: with what it comes with, it would stop every few seconds to write everything down.
  const postgres = await startPostgres({ shared_buffers: "256MB", max_wal_size: "4GB" });
  const close = async () => {
    stopAll();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    cleaner.kill("SIGKILL");
  };
  try {
    const simulator = await Simulator.start();
    let floors: Promise<Floors> | undefined;
    const bench: Bench = {
      options,
      report: new Report(),
      simulator,
      postgres,
      directory,
      floors() {
        floors ??= measureFloors(bench);
        return floors;
      },
      close,
    };
    return bench;
  } catch (error) {
    await close();
    throw error;
  }
}

async function measureFloors({ options: { runs }, report, simulator: { url } }: Bench): Promise<Floors> {
  await plainFetch(url, 300, 64);
  const floors: Floors = { fetch: 0, limit: 0 };
  for (const concurrency of CONCURRENCIES) {
    floors.fetch = Math.max(floors.fetch, runs / (await plainFetch(url, runs, concurrency)));
    floors.limit = Math.max(floors.limit, runs / (await undiciPool(url, runs, concurrency)));
  }
  report.add({ what: "plain `fetch`, no durability", measured: `${floors.fetch.toFixed(0)} runs/s`, value: floors.fetch });
  report.add({ what: "undici pool, no durability (the limit)", measured: `${floors.limit.toFixed(0)} runs/s`, value: floors.limit });
  return floors;
}
