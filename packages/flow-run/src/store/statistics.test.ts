import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { newRun } from "../../test/support/store-fixtures.ts";
import type { Database } from "./database/index.ts";
import { openStore, type Store } from "./index.ts";

describeEachDatabase("the planner's statistics", (open) => {
  let database: Database;
  let store: Store;

  beforeAll(async () => {
    database = await open();
    store = await openStore({ database });
  });
  afterAll(() => store.close());

  it("know a burst of submits soon after it", async () => {
    const known = async () =>
      (
        await database.query<{ jobs: number }>("SELECT reltuples::float8 AS jobs FROM pg_class WHERE oid = $1::regclass", [
          "pgboss.job_common",
        ])
      )[0]!.jobs;
    expect(await known()).toBeLessThan(1);
    await Promise.all(Array.from({ length: 1_000 }, () => store.submitRun(newRun())));
    // Wrong statistics are never waited for, so there is nothing to await but the database.
    while ((await known()) < 500) await database.query("SELECT $1::int", [1]);
  });
});
