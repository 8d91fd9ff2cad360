import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { type OrdinaryUser, ordinaryUser } from "./ordinary-user.ts";
import { postgresBinaries } from "./postgres-binaries.ts";

/** `fast` ends sessions and shuts down cleanly; `immediate` is a crash: recovery follows. */
export type StopMode = "fast" | "immediate";

export interface PostgresServer {
  /** The database `postgres` on this server. */
  url: string;
  dataDir: string;
  port: number;
  /** Leaves the server down; `start` brings it back. */
  halt(mode: StopMode): Promise<void>;
  start(): Promise<void>;
  restart(mode: StopMode): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/**
 * A private PostgreSQL server on 127.0.0.1 with a data directory of its own. It dies with this process, however that dies. `volume`: an empty directory for the
 * data, without the write-ahead log.
 */
export async function startPostgres(settings: Record<string, string> = {}, { volume }: { volume?: string } = {}): Promise<PostgresServer> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "frpg-"));
  const user = ordinaryUser();
  const dataDir = path.join(volume ?? root, "data");
  if (user) for (const directory of [root, ...(volume === undefined ? [] : [volume])]) fs.chownSync(directory, user.uid, user.gid);
  const binaries = usableBinaries(root, user);
  await run(
    path.join(binaries, "initdb"),
    [
      "-D",
      dataDir,
      "-U",
      "postgres",
      "-A",
      "trust",
      "--encoding=UTF8",
      "--locale=C",
      "--wal-segsize=1",
      "--no-sync",
      ...(volume === undefined ? [] : ["--waldir", path.join(root, "wal")]),
    ],
    user,
  );
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const options = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: root,
    port: String(port),
    shared_buffers: "64MB",
    max_connections: "100",
    ...settings,
  };
  let server: ChildProcess | null = null;
  let guard: ChildProcess | null = null;

  async function start(): Promise<void> {
    const args = ["-D", dataDir, ...Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    server = spawn(path.join(binaries, "postgres"), args, {
      ...user,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
      cwd: root,
    });
    // Reads the end of its input when this process is gone, also by SIGKILL, and then ends the server.
    guard = spawn("sh", ["-c", `cat >/dev/null; kill -QUIT ${server.pid} 2>/dev/null && sleep 1; rm -rf '${root}'`], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    guard.unref();
    await ready(server);
  }

  async function halt(mode: StopMode): Promise<void> {
    const ending = server;
    server = null;
    guard?.kill("SIGKILL");
    if (!ending || ending.exitCode !== null) return;
    const exit = once(ending, "exit");
    ending.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
    await exit;
  }

  try {
    await start();
  } catch (error) {
    await halt("immediate");
    fs.rmSync(root, { recursive: true, force: true });
    throw error;
  }
  return {
    url,
    dataDir,
    port,
    start,
    halt,
    async restart(mode) {
      await halt(mode);
      await start();
    },
    async stop() {
      await halt("immediate");
      fs.rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A fresh, empty database on the server of this URL. Returns its URL. */
export async function createDatabase(serverUrl: string): Promise<string> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
}

/** npm's binaries may lie where the ordinary user may not read. */
function usableBinaries(root: string, user: OrdinaryUser | null): string {
  const binaries = postgresBinaries();
  if (!user || binaries.startsWith("/usr/")) return binaries;
  const copy = path.join(root, "native");
  fs.cpSync(path.dirname(binaries), copy, { recursive: true, verbatimSymlinks: true });
  return path.join(copy, "bin");
}

async function run(command: string, args: string[], user: OrdinaryUser | null): Promise<void> {
  const child = spawn(command, args, { ...user, stdio: ["ignore", "ignore", "pipe"], cwd: "/" });
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command} failed: ${complaint}`);
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    const onExit = () => reject(new Error(`The test's PostgreSQL server ended: ${log}`));
    server.once("exit", onExit);
    server.stderr?.on("data", (chunk) => {
      if (log.length < 100_000) log += chunk;
      if (!/ready to accept connections/.test(String(chunk)) && !/ready to accept connections/.test(log)) return;
      server.off("exit", onExit);
      resolve();
    });
  });
}

async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
