import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { programFile } from "../support/shared-databases.ts";
import { violationsOf } from "./check/index.ts";
import { controlsOf } from "./control.ts";
import type { ChaosHistory } from "./history.ts";
import { loopback } from "./network.ts";
import { reportOf } from "./report.ts";
import { runChaos } from "./run-chaos.ts";

/** The short form of `npm run test:chaos`: a few hundred runs, each fault once. Another seed for each commit; FLOW_RUN_TEST_SEED=… repeats one. */
const SEED = process.env.FLOW_RUN_TEST_SEED ?? commit();

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "1";
  }
}

describe(`an installation of five servers under every fault at once (seed ${SEED})`, () => {
  let history: ChaosHistory;
  beforeAll(async () => {
    history = await runChaos({ seed: SEED, runs: 250, rounds: 1, program: await programFile(), network: loopback(), calmMs: 2_500 });
  }, 240_000);

  it("keeps every promise", () => {
    expect(violationsOf(history), reportOf(history)).toEqual([]);
    expect(history.accepted.size).toBeGreaterThanOrEqual(250);
  });

  it("would be caught breaking any of them", () => {
    expect(controlsOf(history)).toEqual([]);
  });
});
