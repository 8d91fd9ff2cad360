import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { createDatabase } from "../packages/flow-run/test/support/postgres-server.ts";
import type { Bench } from "./bench.ts";
import { answers, done, flowRun, freePort, ROOT, stop } from "./processes.ts";

export type DatabaseKind = "PostgreSQL" | "embedded";

/** An installation of flow-run with an empty database of its own. */
export interface Installation {
  /** undefined: the embedded database. */
  databaseUrl: string | undefined;
  /** Of the process started last that accepts runs. */
  url: string;
  /** Starts a process and waits until it is ready. `concurrency`: runs under way at once; default: the program's own. */
  serve(role: "all" | "api" | "worker", concurrency?: number): Promise<ChildProcess>;
  deploy(): Promise<void>;
  /** Ends the processes and removes database and files. */
  close(): Promise<void>;
}

async function openInstallation({ simulator, postgres, directory }: Bench, kind: DatabaseKind): Promise<Installation> {
  const dataDir = await mkdtemp(join(directory, "data-"));
  const databaseUrl = kind === "PostgreSQL" ? await createDatabase(postgres.url) : undefined;
  const env = { SIMULATOR_URL: `${simulator.url}/v1`, DATABASE_URL: databaseUrl };
  const processes: ChildProcess[] = [];
  const installation: Installation = {
    databaseUrl,
    url: "",
    async serve(role, concurrency) {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const more = concurrency === undefined ? [] : ["--concurrency", String(concurrency)];
      const child = flowRun(["server", "--role", role, "--port", String(port), "--data-dir", dataDir, ...more], env);
      processes.push(child);
      await answers(`${url}/readyz`, child);
      if (role !== "worker") installation.url = url;
      return child;
    },
    async deploy() {
      await done(flowRun(["deploy", "--env", "dev", "--project", join(ROOT, "bench/project")], { ...env, FLOW_RUN_URL: installation.url }));
    },
    async close() {
      await Promise.all(processes.map((child) => stop(child)));
      await rm(dataDir, { recursive: true, force: true });
      if (databaseUrl !== undefined) await dropDatabase(postgres.url, new URL(databaseUrl).pathname.slice(1));
    },
  };
  return installation;
}

/** Runs `work` with an installation that is gone afterwards. */
export async function withInstallation<T>(bench: Bench, kind: DatabaseKind, work: (installation: Installation) => Promise<T>): Promise<T> {
  const installation = await openInstallation(bench, kind);
  try {
    return await work(installation);
  } finally {
    await installation.close();
  }
}

export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}
