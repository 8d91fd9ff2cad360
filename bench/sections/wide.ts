import type { Bench } from "../bench.ts";
import { undiciPool } from "../floors.ts";
import { withInstallation } from "../installation.ts";
import { w3 } from "../load.ts";

const ROUNDS = 3;
const GOAL = 1.25;

/** Many runs at once whose calls take a second each: what waiting costs. The worker's `--concurrency` leaves room for all of them. */
export async function measureWide(bench: Bench): Promise<void> {
  const { simulator, report } = bench;
  const { atOnce } = bench.options;
  const roles = [
    { what: "one process", roles: ["all"] },
    { what: "`--role api` and `--role worker`", roles: ["api", "worker"] },
  ] as const;
  try {
    await undiciPool(simulator.url, atOnce, atOnce);
    await simulator.setLatency("1s");
    let limit = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round++) limit = Math.min(limit, await undiciPool(simulator.url, atOnce, atOnce));
    report.add({
      what: `${atOnce} × three calls of 1 s at once, undici pool, no durability (the limit)`,
      measured: `${limit.toFixed(2)} s`,
      value: limit,
    });
    for (const arrangement of roles) {
      await withInstallation(bench, "PostgreSQL", async (installation) => {
        const [first, ...others] = arrangement.roles;
        await installation.serve(first, atOnce + 500);
        await installation.deploy();
        for (const role of others) await installation.serve(role, atOnce + 500);
        await simulator.setLatency("0ms");
        await w3(installation.url, simulator, atOnce, 128);
        await simulator.setLatency("1s");
        let best = Number.POSITIVE_INFINITY;
        for (let round = 0; round < ROUNDS; round++)
          best = Math.min(best, (await w3(installation.url, simulator, atOnce, 256)).totalSeconds);
        report.add({
          what: `${atOnce} W3 runs at once with calls of 1 s, ${arrangement.what}`,
          measured: `${best.toFixed(2)} s`,
          value: best,
          ratio: `${(best / limit).toFixed(2)} × the limit`,
          goal: `≤ ${GOAL} ×`,
          met: best / limit <= GOAL,
        });
      });
    }
  } finally {
    await simulator.setLatency("0ms");
  }
}
