import { expect, it } from "vitest";
import { freshPostgresUrl } from "../../test/support/shared-databases.ts";
import { openPostgres, openStore } from "./index.ts";

it.each([1, 2, 3])("processes that start at once on an empty database all start (%i)", { timeout: 60_000 }, async () => {
  const url = await freshPostgresUrl();
  const started = Array.from({ length: 6 }, async () => {
    const database = await openPostgres({ connectionString: url });
    const store = await openStore({ database });
    await store.close();
    await database.close();
    return "started";
  });
  expect(await Promise.all(started)).toEqual(Array(6).fill("started"));
});
