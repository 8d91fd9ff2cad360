// Everything that is tested, in one command; what CI runs. Stops at the first step that fails and closes with one line that sums the tests up.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = await mkdtemp(join(tmpdir(), "flow-run-verify-"));
const report = join(folder, "tests.json");
const steps: [what: string, command: string, args: string[]][] = [
  ["format and lint", "biome", ["check", "--error-on-warnings", "."]],
  ["types", "tsc", ["-p", "tsconfig.json"]],
  ["build", "npm", ["run", "--silent", "build"]],
  ["tests", "vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]],
  ["example", "node", ["scripts/demo.ts"]],
];

let passed = 0;
let failed = 0;
let skipped = 0;
for (const [what, command, args] of steps) {
  console.log(`\n── ${what}`);
  const code = await run(command, args);
  if (what === "tests") await count();
  else if (code === 0) passed++;
  else failed++;
  if (code !== 0) {
    process.exitCode = 1;
    if (failed === 0) failed++;
    break;
  }
}
await rm(folder, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);

async function count(): Promise<void> {
  const text = await readFile(report, "utf8").catch(() => null);
  if (text === null) return;
  const result = JSON.parse(text) as { numPassedTests: number; numFailedTests: number; numPendingTests: number };
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  skipped += result.numPendingTests;
}

function run(command: string, args: string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit" });
    child.once("error", (error) => {
      console.error(`${command} cannot be started: ${error.message}. Run this through npm: npm run verify`);
      resolve(1);
    });
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
