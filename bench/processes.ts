import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = `${ROOT}packages/flow-run/bin/flow-run.js`;
const children = new Set<ChildProcess>();

export const ADMIN_KEY = "frk_bench";

/** Starts the program as users do. Ends with this process. */
export function flowRun(args: string[], env: Record<string, string | undefined> = {}): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, FLOW_RUN_ADMIN_KEY: ADMIN_KEY, FLOW_RUN_API_KEY: ADMIN_KEY, LOG_LEVEL: "error", ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

export function stopAll(): void {
  for (const child of children) child.kill("SIGKILL");
}

export async function done(child: ChildProcess): Promise<void> {
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`${child.spawnargs.join(" ")} ended with ${code}`);
}

export async function answers(url: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(25)) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
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

/** Resident memory of a process in MB. */
export function residentMb(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
}
