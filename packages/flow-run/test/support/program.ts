import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The built program, running as a process of its own. */
export interface Program {
  pid: number;
  /** null until it has ended. */
  exit(): Exit | null;
  ended: Promise<Exit>;
  stdout(): string;
  /** The last part of it, with all that the log says. */
  stderr(): string;
  /** Resolves with the first line on either output, past or future, that matches. Rejects when the process ends without one. */
  said(pattern: RegExp): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL; resolves when the process is gone. Also for one that is stopped or has ended. */
  kill(): Promise<Exit>;
}

const KEPT_CHARACTERS = 200_000;

export interface Surroundings {
  env?: Record<string, string>;
  cwd: string;
  /** A command that becomes the one that follows it, such as `ip netns exec NAME`. */
  within?: readonly string[];
}

/** Starts `flow-run ARGS`. Nothing of this process's own settings reaches it but PATH. It dies with this process, however that dies. */
export function startProgram(bin: string, args: string[], { env = {}, cwd, within = [] }: Surroundings): Program {
  const [command, ...rest] = [...within, process.execPath, bin, ...args] as [string, ...string[]];
  const child = spawn(command, rest, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: cwd, NO_COLOR: "1", ...env },
  });
  const pid = child.pid!;
  const guard = guardOf(pid);
  const said = { stdout: "", stderr: "" };
  let exit: Exit | null = null;
  let changed = () => {};
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      said[name] = (said[name] + chunk).slice(-KEPT_CHARACTERS);
      changed();
    });
  }
  const ended = once(child, "close").then(([code, signal]) => {
    exit = { code, signal };
    guard.kill("SIGKILL");
    changed();
    return exit;
  });
  const signal = (name: NodeJS.Signals) => {
    // After its end the number may be another process's.
    if (child.exitCode === null && child.signalCode === null) child.kill(name);
  };
  return {
    pid,
    exit: () => exit,
    ended,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const before = changed;
        changed = () => {
          before();
          const line = `${said.stdout}\n${said.stderr}`.split("\n").find((text) => pattern.test(text));
          if (line !== undefined) resolve(line);
          else if (exit)
            reject(
              new Error(
                `flow-run ${args.join(" ")} ended (${exit.code ?? exit.signal}) without saying ${pattern}: ${said.stdout}${said.stderr.slice(-5_000)}`,
              ),
            );
        };
        changed();
      }),
    signal,
    kill: () => {
      signal("SIGKILL");
      return ended;
    },
  };
}

/** Runs `flow-run ARGS` to its end. */
export async function runProgram(
  bin: string,
  args: string[],
  options: { env?: Record<string, string>; cwd: string },
): Promise<Exit & { stdout: string; stderr: string }> {
  const program = startProgram(bin, args, options);
  return { ...(await program.ended), stdout: program.stdout(), stderr: program.stderr() };
}

/** Reads the end of its input when this process is gone, also by SIGKILL, and then ends the other one. */
function guardOf(pid: number): ChildProcess {
  const guard = spawn("sh", ["-c", `cat >/dev/null; kill -KILL ${pid} 2>/dev/null`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();
  return guard;
}
