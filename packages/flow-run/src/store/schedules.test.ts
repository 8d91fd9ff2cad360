import type { JsonObject } from "@flow-run/spec";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import type { Database } from "./database/index.ts";
import { openStore, type Store, type StoredSchedule } from "./index.ts";

const DAILY = { cron: "@daily", timezone: "UTC", input: { z: 1, a: "ü" } };

describeEachDatabase("schedules", (open) => {
  let database: Database;
  let store: Store;
  let other: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
    other = await openStore({ database, onlyProcess: false });
  });
  afterAll(async () => {
    await store.close();
    await other.close();
  });

  let deployed = 0;
  const deploy = (environment: string, schedules: Record<string, JsonObject | null>) => {
    const flows = Object.fromEntries(Object.entries(schedules).map(([name, schedule]) => [name, { name, ...(schedule && { schedule }) }]));
    return store.deploy({ environment, bundle: { flows }, hash: `h${deployed++}`, author: null, message: null, commit: null });
  };
  const of = async (environment: string): Promise<StoredSchedule[]> =>
    ((await other.schedules.read())?.schedules ?? []).filter((schedule) => schedule.environment === environment);

  it("are none before one is deployed", async () => {
    await deploy("none", { plain: null });
    expect(await store.schedules.read()).toBeNull();
  });

  it("are those of the current release, and due from its deployment on, by the database's clock", async () => {
    const before = Date.now();
    await deploy("one", { nightly: DAILY, plain: null });
    const read = await other.schedules.read();
    expect(read!.schedules).toEqual([{ environment: "one", flow: "nightly", release: 1, ...DAILY, tickedUntilMs: expect.any(Number) }]);
    expect(JSON.stringify(read!.schedules[0]!.input)).toBe('{"z":1,"a":"ü"}');
    expect(read!.schedules[0]!.tickedUntilMs).toBeGreaterThanOrEqual(before - 1_000);
    expect(read!.nowMs).toBeGreaterThanOrEqual(read!.schedules[0]!.tickedUntilMs);
  });

  it("go on where they were when the next release has the same times, and begin anew with others", async () => {
    await deploy("two", { kept: DAILY, changed: DAILY, moved: DAILY, gone: DAILY });
    await database.query("UPDATE flow_run.schedule SET ticked_until = 'epoch' WHERE environment = $1", ["two"]);
    await deploy("two", {
      kept: { ...DAILY, input: { b: 2 } },
      changed: { ...DAILY, cron: "@hourly" },
      moved: { ...DAILY, timezone: "Europe/Berlin" },
      added: DAILY,
    });
    const [added, changed, kept, moved, ...more] = await of("two");
    expect(more).toEqual([]);
    expect(kept).toMatchObject({ flow: "kept", release: 2, input: { b: 2 }, tickedUntilMs: 0 });
    for (const fresh of [added, changed, moved]) expect(fresh!.tickedUntilMs).toBeGreaterThan(0);
  });

  it("end with a release that has none, and begin anew with one that has them again", async () => {
    await deploy("three", { nightly: DAILY });
    await database.query("UPDATE flow_run.schedule SET ticked_until = 'epoch' WHERE environment = $1", ["three"]);
    await deploy("three", { nightly: null });
    expect(await of("three")).toEqual([]);
    await deploy("three", { nightly: DAILY });
    expect((await of("three"))[0]).toMatchObject({ release: 3, tickedUntilMs: expect.not.closeTo(0) });
  });

  it("take ticks down forwards only, and none that belong to other times than they have now", async () => {
    await deploy("four", { nightly: DAILY });
    const [schedule] = (await of("four")) as [StoredSchedule];
    const late = schedule.tickedUntilMs + 1_000_000;
    await Promise.all([late, late - 1, late - 500].map((atMs) => other.schedules.markTicked([{ schedule, atMs }])));
    await store.schedules.markTicked([{ schedule: { ...schedule, cron: "@hourly" }, atMs: late + 1 }]);
    await store.schedules.markTicked([{ schedule: { ...schedule, environment: "one" }, atMs: 1 }]);
    expect((await of("four"))[0]!.tickedUntilMs).toBe(late);
  });

  it("that change are told to every process", async () => {
    const told = [store, other].map((each) => new Promise<void>((resolve) => each.schedules.onChanged(resolve)));
    await deploy("five", { nightly: DAILY });
    await Promise.all(told);
  });
});
