// `npm run test:chaos [-- --seed N --runs N --minutes M --netns --program FILE]`: the guarantees under faults, with a report. Exit 1 when one is broken.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { violationsOf } from "./check/index.ts";
import { controlsOf } from "./control.ts";
import { loopback } from "./network.ts";
import { openNetworkSpaces } from "./network-spaces.ts";
import { reportOf } from "./report.ts";
import { runChaos } from "./run-chaos.ts";

const USAGE = `npm run test:chaos -- [options]
  --seed N       repeats the orders, faults and moments of that seed; default: a new one
  --runs N       runs to submit, spread over the faults; default 3000
  --minutes M    how long faults go on, at least one round of each kind; default 3
  --netns        workers in network namespaces of their own, whose cables are pulled; needs root and "ip"
  --program FILE another bin/flow-run.js than the one of this clone, which is built first
`;

/** About what a round of faults takes, with its deploy. */
const ROUND_MINUTES = 0.5;

const values = given();
const runs = Number(values.runs);
const minutes = Number(values.minutes);
if (values.help || !Number.isInteger(runs) || runs < 1 || !(minutes > 0)) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
process.exitCode = await main();

async function main(): Promise<number> {
  const network = values.netns ? await openNetworkSpaces() : loopback();
  if ("missing" in network) {
    console.log(`skipped: ${network.missing}`);
    return 0;
  }
  // Namespaces outlive their maker.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void network.close().finally(() => process.exit(130)));
  const { seed } = values;
  console.log(`seed ${seed}, ${runs} runs, ${minutes} minutes${values.netns ? `, workers in network namespaces (${network.host})` : ""}`);
  const begun = Date.now();
  const history = await runChaos({
    seed,
    runs,
    rounds: Math.max(1, Math.round(minutes / ROUND_MINUTES)),
    program: values.program ?? builtProgram(),
    network,
    calmMs: 10_000,
    onProgress: (words) => console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${words}`),
  });
  console.log(`\n${reportOf(history)}\n`);
  const violations = [...violationsOf(history), ...controlsOf(history)];
  if (violations.length === 0) {
    console.log(
      `All guarantees held, and the controls failed as they must. Seed ${seed}, ${os.availableParallelism()} cores, Node ${process.versions.node}.`,
    );
    return 0;
  }
  const file = path.join(os.tmpdir(), `flow-run-chaos-${seed}.json`);
  fs.writeFileSync(file, JSON.stringify({ violations, history }, asPlainData));
  console.log(`${violations.length} violations with seed ${seed}; everything that was seen is in ${file}:`);
  for (const violation of violations.slice(0, 50)) console.log(`  ${violation}`);
  return 1;
}

function given() {
  try {
    return parseArgs({
      options: {
        seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
        runs: { type: "string", default: "3000" },
        minutes: { type: "string", default: "3" },
        netns: { type: "boolean", default: false },
        program: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    return process.exit(2);
  }
}

function builtProgram(): string {
  const root = path.resolve(import.meta.dirname, "../../../..");
  execFileSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: "inherit" });
  return path.join(root, "packages/flow-run/bin/flow-run.js");
}

function asPlainData(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
