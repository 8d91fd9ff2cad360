import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PeerName } from "./options.ts";
import { ROOT } from "./processes.ts";

const SOURCE = join(ROOT, "bench/peers");
const CACHE = join(ROOT, ".flow-run/bench-peers");
const PATIENCE_MS = 5 * 60_000;

/** What every contestant needs. */
const SHARED = ["undici"];

/** A peer cannot be installed here; the message says why. */
export class NotInstalledError extends Error {}

export interface InstalledPeer {
  /** Its contestant, beside its node_modules. */
  file: string;
  versions: string;
}

/** Installs a peer at its pinned versions into a folder of its own, once. Rejects with `NotInstalledError`. */
export async function installPeer(name: PeerName, packages: readonly string[]): Promise<InstalledPeer> {
  const directory = join(CACHE, name);
  const { dependencies: pins } = JSON.parse(await readFile(join(SOURCE, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const dependencies = Object.fromEntries([...packages, ...SHARED].map((wanted) => [wanted, pins[wanted]]));
  const manifest = JSON.stringify({ name: `flow-run-bench-${name}`, private: true, type: "module", dependencies });
  const stamp = join(directory, "installed.json");
  if (!existsSync(stamp) || (await readFile(stamp, "utf8")) !== manifest) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "package.json"), manifest);
    console.error(`  installing ${packages.join(", ")}`);
    await npmInstall(directory);
    await writeFile(stamp, manifest);
  }
  // Beside its node_modules, where its imports are found.
  for (const file of [`${name}.ts`, "contestant.ts"]) await copyFile(join(SOURCE, file), join(directory, file));
  const versions = packages
    .filter((installed) => installed.startsWith("@"))
    .map((installed) => `${installed.split("/")[1]} ${pins[installed]}`);
  return { file: join(directory, `${name}.ts`), versions: versions.join(", ") };
}

async function npmInstall(directory: string): Promise<void> {
  const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error", "--prefix", directory];
  let complaint = "";
  const child = spawn("npm", args, { cwd: directory, stdio: ["ignore", "ignore", "pipe"], timeout: PATIENCE_MS });
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const failure = await new Promise<string | null>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) =>
      resolve(code === 0 ? null : signal ? `npm took longer than ${PATIENCE_MS / 60_000} minutes` : reason(complaint)),
    );
  });
  if (failure !== null) throw new NotInstalledError(failure);
}

/** npm's own first sentences about what went wrong. */
function reason(complaint: string): string {
  const lines = complaint.split("\n").map((line) => line.replace(/^npm (error|ERR!)\s*/, "").trim());
  const sentences = lines.filter((line) => line && !/^(code|syscall|errno|network) |complete log/.test(line));
  return sentences.slice(0, 2).join("; ").slice(0, 300) || lines.find(Boolean) || "npm gave no reason";
}
