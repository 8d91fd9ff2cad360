import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = `${ROOT}packages/flow-run/bin/flow-run.js`;
const children = new Set<ChildProcess>();
/** Their processes die with them: each leads a group of its own. */
const leaders = new WeakSet<ChildProcess>();

export const ADMIN_KEY = "frk_bench";

/** Starts the program as users do. */
export function flowRun(args: string[], env: Record<string, string | undefined> = {}): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, FLOW_RUN_ADMIN_KEY: ADMIN_KEY, FLOW_RUN_API_KEY: ADMIN_KEY, LOG_LEVEL: "error", ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return ours(child);
}

/** Starts a contestant of the bench in a process group of its own, so that servers which it starts end with it. */
export function contestant(file: string, order: unknown): ChildProcess {
  const child = spawn(process.execPath, [file], {
    cwd: dirname(file),
    detached: true,
    env: { ...process.env, NODE_ENV: "production", BENCH_ORDER: JSON.stringify(order) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  leaders.add(child);
  return ours(child);
}

/** Ends with the bench, however that ends. */
function ours(child: ChildProcess): ChildProcess {
  const guard = afterwards(`kill -KILL ${leaders.has(child) ? "-" : ""}${child.pid}`);
  children.add(child);
  child.once("exit", () => {
    children.delete(child);
    guard.kill("SIGKILL");
    if (leaders.has(child)) killGroup(child);
  });
  return child;
}

/** Starts a shell that does something once this process is gone, also by SIGKILL: it reads the end of its input then. */
export function afterwards(command: string): ChildProcess {
  const guard = spawn("sh", ["-c", `cat >/dev/null; ${command}`], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  guard.unref();
  return guard;
}

/** Ends a process, and a contestant's whole group, as a crash would. */
export function kill(child: ChildProcess): void {
  if (!leaders.has(child)) child.kill("SIGKILL");
  else if (child.exitCode === null && child.signalCode === null) killGroup(child);
}

function killGroup(leader: ChildProcess): void {
  try {
    process.kill(-leader.pid!, "SIGKILL");
  } catch {
    // nobody is left
  }
}

/** As an operator does; what has not ended after half a minute is killed. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const impatience = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await gone;
  clearTimeout(impatience);
}

export function stopAll(): void {
  for (const child of children) kill(child);
}

export async function done(child: ChildProcess): Promise<void> {
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`${child.spawnargs.join(" ")} ended with ${code}`);
}

/** Resolves when a process that was just started answers at this address. */
export async function answers(url: string, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(25)) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.slice(1).join(" ")} ended with ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error(`${url} did not answer`);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

/**
 * CPU time of a process so far, in milliseconds: `main` of its first thread, `other` of the rest (garbage collection, the embedded database).
 * What a busy machine falsifies much less than the time on the wall. In ticks of 10 ms.
 */
export function cpuMs(child: ChildProcess): { main: number; other: number } {
  const all = cpuOf(`/proc/${child.pid}/stat`);
  const main = cpuOf(`/proc/${child.pid}/task/${child.pid}/stat`);
  return { main, other: all - main };
}

/** CPU time of a PostgreSQL server so far, in milliseconds: of its first process and of all that it has started. */
export function postgresCpuMs(dataDir: string): number {
  const parent = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n")[0]!;
  let ms = cpuOf(`/proc/${parent}/stat`, { withEndedChildren: true });
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (fieldsOf(`/proc/${pid}/stat`)[1] === parent) ms += cpuOf(`/proc/${pid}/stat`);
    } catch {
      // has just ended
    }
  }
  return ms;
}

function cpuOf(statFile: string, { withEndedChildren = false } = {}): number {
  const ticks = fieldsOf(statFile).slice(11, withEndedChildren ? 15 : 13);
  return ticks.reduce((sum, count) => sum + Number(count), 0) * 10;
}

/** Of a process, from its state on: its name, which may hold spaces, stands before. */
function fieldsOf(statFile: string): string[] {
  return readFileSync(statFile, "utf8").split(") ").at(-1)!.split(" ");
}

/** Resident memory of a process in MB, now. */
export function residentMb(child: ChildProcess): number {
  return statusMb(child, /VmRSS:\s+(\d+)/);
}

/** Resident memory of a process in MB, at its most so far. */
export function peakMb(child: ChildProcess): number {
  return statusMb(child, /VmHWM:\s+(\d+)/);
}

function statusMb(child: ChildProcess, line: RegExp): number {
  return Math.round(Number(line.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1024);
}
