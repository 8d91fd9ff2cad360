import { execFileSync } from "node:child_process";
import type { Bench } from "../bench.ts";
import { ROOT } from "../processes.ts";

const GOAL = 2.5;

export async function measureCli({ report }: Bench): Promise<void> {
  const [help, node] = [timed(["packages/flow-run/bin/flow-run.js", "--help"]), timed(["-e", "0"])];
  report.add({
    what: "`flow-run --help`",
    measured: `${help.toFixed(0)} ms`,
    value: help,
    ratio: `${(help / node).toFixed(2)} × \`node -e 0\` (${node.toFixed(0)} ms)`,
    goal: `≤ ${GOAL} ×`,
    met: help / node <= GOAL,
  });
}

/** Median milliseconds of a whole process. */
function timed(args: string[]): number {
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now();
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: "ignore" });
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return times[7]!;
}
