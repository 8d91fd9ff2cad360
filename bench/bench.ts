import { type PostgresServer, startPostgres } from "../packages/flow-run/test/support/postgres-server.ts";
import { plainFetch, undiciPool } from "./floors.ts";
import type { Options } from "./options.ts";
import { stopAll } from "./processes.ts";
import { Report } from "./report.ts";
import { Simulator } from "./simulator.ts";

export const CONCURRENCIES = [64, 256, 1_000];

export interface Floors {
  /** Runs a second by plain `fetch`, nothing durable. */
  fetch: number;
  /** Runs a second over an undici pool, nothing durable: the limit of client and simulator. */
  limit: number;
}

/** What all sections of one pass share. */
export interface Bench {
  options: Options;
  report: Report;
  simulator: Simulator;
  postgres: PostgresServer;
  /** Measured once, by the first section that asks. */
  floors(): Promise<Floors>;
  /** W3 on PostgreSQL in one process, runs a second, once it was measured. */
  w3OnPostgres?: number;
  close(): Promise<void>;
}

export async function openBench(options: Options): Promise<Bench> {
  const postgres = await startPostgres();
  let floors: Promise<Floors> | undefined;
  try {
    const simulator = await Simulator.start();
    const bench: Bench = {
      options,
      report: new Report(),
      simulator,
      postgres,
      floors() {
        floors ??= measureFloors(bench);
        return floors;
      },
      async close() {
        stopAll();
        await postgres.stop();
      },
    };
    return bench;
  } catch (error) {
    stopAll();
    await postgres.stop();
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
