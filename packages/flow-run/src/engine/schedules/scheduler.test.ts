import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { startFaultyProxy } from "../../../test/support/faulty-proxy.ts";
import { freshPostgresUrl } from "../../../test/support/shared-databases.ts";
import { openPostgres, openStore } from "../../store/index.ts";
import { systemClock } from "../../system-clock.ts";
import { Scheduler } from "./scheduler.ts";

const EVERY_SECOND = { cron: "* * * * * *", timezone: "UTC", input: {} };

/** A database behind a proxy, with these schedules in `dev`, and whoever keeps them. Nothing executes the runs. */
async function house(schedules: Record<string, object>) {
  const proxy = await startFaultyProxy(await freshPostgresUrl());
  const database = await openPostgres({ connectionString: proxy.url });
  const store = await openStore({ database, submitTimeoutMs: 500 });
  const started: { flow: string; tick: string }[] = [];
  const troubles: string[] = [];
  const waiting = new Set<() => void>();
  const told = () => {
    for (const look of waiting) look();
  };
  const keepers = [1, 2].map(
    () =>
      new Scheduler({
        store,
        clock: systemClock(),
        newRunId: () => `run_${randomUUID()}`,
        onStarted: (run) => {
          started.push(run);
          told();
        },
        onTrouble: (_, doing) => {
          troubles.push(doing);
          told();
        },
      }),
  );
  onTestFinished(async () => {
    proxy.heal();
    await Promise.all(keepers.map((keeper) => keeper.stop()));
    await store.close();
    await database.close();
    await proxy.close();
  });
  for (const keeper of keepers) keeper.start();
  const flows = Object.fromEntries(Object.entries(schedules).map(([name, schedule]) => [name, { name, schedule: schedule as never }]));
  await store.deploy({ environment: "dev", bundle: { flows }, hash: "h", author: null, message: null, commit: null });
  return {
    database,
    proxy,
    started,
    troubles,
    /** Resolves as soon as it holds, which is looked at whenever something was started or went wrong. */
    until: (holds: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    /** Ticks that have a run, and those that have several: there must be none. */
    async runs(): Promise<{ count: number; ticks: number }> {
      const [row] = await database.query<{ count: number; ticks: number }>(
        "SELECT count(*)::int AS count, count(DISTINCT (flow, idempotency_key))::int AS ticks FROM flow_run.run",
      );
      return row!;
    },
  };
}

describe("two that keep the schedules of one database", () => {
  it("start one run a tick, also when the answer to a start is lost", async () => {
    const { proxy, started, until, runs, troubles } = await house({ beat: EVERY_SECOND });
    await until(() => started.length >= 2);
    await proxy.loseAnswerOf("schedule→beat→");
    const before = started.length;
    await until(() => started.length >= before + 2);
    expect(new Set(started.map(({ tick }) => tick)).size).toBe(started.length);
    const { count, ticks } = await runs();
    expect(count).toBe(ticks);
    expect(troubles.filter((doing) => doing.includes("beat"))).toEqual([]);
  });

  it("go on when the database is back, with the last tick of those that they missed", async () => {
    const { proxy, started, until, troubles, runs } = await house({ beat: EVERY_SECOND });
    await until(() => started.length >= 1);
    proxy.partition();
    const cut = Date.now();
    await until(() => troubles.includes("starting runs by their schedules"));
    proxy.heal();
    const before = started.length;
    await until(() => started.length >= before + 2);
    // One run for all the seconds in between: what was started next came after the cut, and its tick was not the first one.
    const seconds = (Date.now() - cut) / 1_000;
    const { count } = await runs();
    expect(count).toBeLessThanOrEqual(before + seconds + 1);
    expect(Date.parse(started.at(-1)!.tick)).toBeGreaterThan(cut);
  });

  it("are not kept from the others by a schedule that cannot be read or a run that cannot be stored, and say so", async () => {
    const { database, started, until, troubles } = await house({ beat: EVERY_SECOND });
    await until(() => started.length >= 1);
    await database.query(
      `INSERT INTO flow_run.schedule (environment, flow, cron, timezone, input) VALUES
        ('dev', 'lost', '* * * * * *', 'Mars/Base', '{}'), ('dev', 'odd', '* * * * * *', 'UTC', $1::json)`,
      ['{"a":"\\u0000"}'],
    );
    const before = started.length;
    await until(() => started.length >= before + 3 && troubles.some((doing) => doing.includes("odd")));
    expect(troubles.filter((doing) => doing.includes("lost"))).toEqual(
      [1, 2].map(() => "reading the schedule of lost in dev (* * * * * *, Mars/Base)"),
    );
    expect(troubles).toContain("starting odd in dev by its schedule");
    expect(started.every(({ flow }) => flow === "beat")).toBe(true);
  });
});
