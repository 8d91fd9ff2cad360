import { expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { migrate } from "./migrate.ts";
import { DatabaseSharedLimits } from "./shared-limits.ts";

describeEachDatabase("shared limits", (open) => {
  it("are changed one after the other, whoever changes them", async () => {
    const database = await open();
    await migrate(database);
    const processes = Array.from({ length: 5 }, () => new DatabaseSharedLimits(database));
    const count = (key: string) => (_: string, state: unknown) => ({ [key]: ((state as Record<string, number> | null)?.[key] ?? 0) + 1 });
    await Promise.all(
      processes.flatMap((limits) => Array.from({ length: 10 }, () => limits.change(["a", "b"], (key, state) => count(key)(key, state)))),
    );
    const read: unknown[] = [];
    await processes[0]!.change(["a", "b"], (_, state) => {
      read.push(state);
      return state;
    });
    expect(read).toEqual([{ a: 50 }, { b: 50 }]);
  });

  it("are told the database's time, and that there was nothing before", async () => {
    const database = await open();
    await migrate(database);
    const [row] = await database.query<{ now: Date }>("SELECT clock_timestamp() AS now");
    let told: [string, unknown, number] | undefined;
    await new DatabaseSharedLimits(database).change(["new"], (key, state, nowMs) => {
      told = [key, state, nowMs];
      return {};
    });
    expect(told!.slice(0, 2)).toEqual(["new", null]);
    expect(told![2] - row!.now.getTime()).toBeGreaterThanOrEqual(0);
    expect(told![2] - row!.now.getTime()).toBeLessThan(10_000);
  });
});
