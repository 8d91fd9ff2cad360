import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import readline from "node:readline";
import { onTestFinished } from "vitest";

export interface Child {
  process: ChildProcess;
  lines: string[];
  stderr(): string;
  /** Resolves with the first line, past or future, that satisfies the condition. Rejects when the process ends before. */
  line(condition: (line: string) => boolean): Promise<string>;
  say(line: string): void;
  /** Resolves when the process has ended, however. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Runs one of our TypeScript files as a process of its own, which does not outlive the test. */
export function spawnChild(file: URL, args: string[], { nodeArgs = [] as string[], env = {} as Record<string, string> } = {}): Child {
  const child = spawn(process.execPath, ["--conditions=flow-run-source", ...nodeArgs, file.pathname, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "", ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  let stderr = "";
  let changed = () => {};
  let over = false;
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdin.on("error", () => {});
  readline.createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    changed();
  });
  const ended = once(child, "close").then(([code, signal]) => {
    over = true;
    changed();
    return { code, signal };
  });
  return {
    process: child,
    lines,
    stderr: () => stderr,
    ended,
    say: (line) => void child.stdin.write(`${line}\n`),
    line: (condition) =>
      new Promise((resolve, reject) => {
        const before = changed;
        changed = () => {
          before();
          const found = lines.find(condition);
          if (found !== undefined) resolve(found);
          else if (over)
            reject(new Error(`The process ended without the expected line. It said: ${lines.slice(-5).join(" | ")} ${stderr}`));
        };
        changed();
      }),
  };
}
