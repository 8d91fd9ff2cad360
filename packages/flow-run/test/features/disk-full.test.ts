import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { CHAIN_STEPS, test, until } from "../support/installation.ts";
import { violations } from "../support/invariants.ts";
import { createDatabase, startPostgres } from "../support/postgres-server.ts";

/** A volume that can be filled needs a file system of its own, and that needs root. */
function missing(): string | null {
  if (process.platform !== "linux") return "only Linux has the file system in memory that is filled here";
  if (process.getuid?.() !== 0) return "mounting the volume that is filled needs root";
  try {
    const probe = fs.mkdtempSync(path.join(os.tmpdir(), "frvol-"));
    mount(probe, "1m");
    unmount(probe);
    return null;
  } catch (error) {
    return `a file system in memory cannot be mounted: ${(error as Error).message.split("\n")[0]}`;
  }
}

function mount(directory: string, size: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory], { stdio: "pipe" });
}

function unmount(directory: string): void {
  execFileSync("umount", ["-l", directory], { stdio: "pipe" });
  fs.rmdirSync(directory);
}

/** Leaves no byte. */
function fill(file: string): void {
  const descriptor = fs.openSync(file, "w");
  try {
    for (let size = 1 << 20; size >= 512; size >>= 1) {
      try {
        for (;;) fs.writeSync(descriptor, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

const reason = missing();
if (reason) console.log(`skipped: a database whose disk is full (${reason})`);

describe.skipIf(reason !== null)("a PostgreSQL whose data volume is full", { timeout: 180_000 }, () => {
  test("makes starts 503, keeps what was accepted, and goes on by itself when there is room again", async ({ install }) => {
    const volume = fs.mkdtempSync(path.join(os.tmpdir(), "frvol-"));
    mount(volume, "160m");
    onTestFinished(() => unmount(volume));
    const postgres = await startPostgres({}, { volume });
    onTestFinished(() => postgres.stop());
    const installation = await install({
      database: "postgres",
      databaseUrl: await createDatabase(postgres.url),
      script: { latency: "1500ms" },
    });
    const server = await installation.startServer();
    await installation.deploy();
    // Too long for a page, so that each needs room of its own.
    const text = (name: string) => name + Array.from({ length: 4_000 }, (_, index) => `${name} ${index * 7_919}`).join("");
    const before = [...Array(10).keys()].map((number) => installation.submit(`before-${number}`, { text: text(`before ${number}`) }));
    await Promise.all(before);

    const ballast = path.join(volume, "ballast");
    fill(ballast);
    const refused = await Promise.all(
      [...Array(10).keys()].map((number) => installation.submitOnce(`meanwhile-${number}`, { text: text(`meanwhile ${number}`) })),
    );
    const statuses = new Set(refused.map((response) => response.status));
    expect([...statuses].filter((status) => status !== 202 && status !== 503)).toEqual([]);
    expect(statuses).toContain(503);
    const answer = refused.find((response) => response.status === 503)!;
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await answer.json()) as object).toMatchObject({ type: expect.stringContaining("database-unavailable") });
    // What is there can still be read.
    expect((await installation.allRuns()).length).toBeGreaterThanOrEqual(10);

    fs.rmSync(ballast);
    for (const number of [...Array(10).keys()]) await installation.submit(`meanwhile-${number}`, { text: text(`meanwhile ${number}`) });
    await until(async () => (await installation.allRuns()).every((run) => run.finishedAt !== null), { what: "all runs have ended" });
    expect(violations(await installation.history(), { steps: CHAIN_STEPS })).toEqual([]);
    expect(installation.accepted.size).toBe(20);
    expect(server.exit()).toBe(null);
  });
});
