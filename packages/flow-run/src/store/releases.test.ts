import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import type { Database } from "./database/index.ts";
import { openStore, type Store } from "./index.ts";

describeEachDatabase("releases and keys", (open) => {
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

  const release = (environment: string, hash: string, expectedCurrent?: number | null) => ({
    environment,
    bundle: { z: 1, a: [hash, "ü"], hash },
    hash,
    author: "ada",
    message: "first",
    commit: "abc",
    ...(expectedCurrent === undefined ? {} : { expectedCurrent }),
  });

  it("numbers releases by environment, and keeps bundles as they were written", async () => {
    expect(await store.currentRelease("one")).toBeNull();
    const first = await store.deploy(release("one", "h1"));
    expect(first).toEqual({
      release: {
        environment: "one",
        number: 1,
        hash: "h1",
        author: "ada",
        message: "first",
        commit: "abc",
        createdAt: expect.stringMatching(/Z$/),
        current: true,
      },
      previous: null,
      changed: true,
    });
    expect(await store.deploy(release("one", "h2"))).toMatchObject({ release: { number: 2 }, previous: 1, changed: true });
    expect(await store.deploy(release("two", "h1"))).toMatchObject({ release: { number: 1 }, previous: null });
    expect(await store.currentRelease("one")).toBe(2);
    expect((await store.listReleases("one")).map(({ number, current }) => [number, current])).toEqual([
      [2, true],
      [1, false],
    ]);
    expect(JSON.stringify(await other.getBundle("one", 1))).toBe('{"z":1,"a":["h1","ü"],"hash":"h1"}');
    expect(await store.getBundle("one", 3)).toBeNull();
    expect(await store.getBundle("none", 1)).toBeNull();
  });

  it("makes no release of the bundle that is current already, but one of a bundle that was current before", async () => {
    await store.deploy(release("same", "h1"));
    expect(await store.deploy(release("same", "h1"))).toMatchObject({ release: { number: 1 }, previous: 1, changed: false });
    expect(await store.deploy(release("same", "h1", 7))).toMatchObject({ changed: false });
    await store.deploy(release("same", "h2"));
    expect(await store.deploy(release("same", "h1"))).toMatchObject({ release: { number: 3 }, changed: true });
  });

  it("refuses a bundle with text that no database can store, also where it was not read from HTTP", async () => {
    for (const text of ["a\u0000", "\ud800"]) {
      const bundle = { flows: { a: { template: text } } };
      await expect(store.deploy({ ...release("odd", "h1"), bundle })).rejects.toMatchObject({ code: "invalid-bundle" });
    }
    expect(await store.currentRelease("odd")).toBeNull();
  });

  it("refuses a plan that was made for another release", async () => {
    await store.deploy(release("plan", "h1", null));
    await expect(store.deploy(release("plan", "h2", null))).rejects.toMatchObject({
      code: "stale-plan",
      details: { expected: null, current: 1 },
    });
    await store.deploy(release("plan", "h2", 1));
    await expect(store.deploy(release("plan", "h3", 1))).rejects.toMatchObject({ code: "stale-plan" });
    expect(await store.currentRelease("plan")).toBe(2);
  });

  it("lets one of many simultaneous deployments of one plan win", async () => {
    const results = await Promise.allSettled([store, other, store, other].map((each, i) => each.deploy(release("race", `h${i}`, null))));
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    expect(await store.listReleases("race")).toHaveLength(1);
  });

  it("tells other processes of a new release", async () => {
    await store.deploy(release("told", "h1"));
    expect(await other.currentRelease("told")).toBe(1);
    await store.deploy(release("told", "h2"));
    // The memory would serve the old one for longer than the test may take.
    while ((await other.currentRelease("told")) !== 2) await database.query("SELECT 1 WHERE $1 = 1", [1]);
  });

  it("creates, finds, lists and revokes keys, here and for other processes", async () => {
    expect(await other.findApiKey("s1")).toBeNull();
    const key = await store.createApiKey({ name: "ci", environment: "dev", scopes: ["run", "read"], sha256: "s1" });
    expect(key).toEqual({
      id: expect.stringMatching(/^key_/),
      name: "ci",
      environment: "dev",
      scopes: ["run", "read"],
      createdAt: expect.any(String),
      revokedAt: null,
    });
    expect(await store.findApiKey("s1")).toEqual(key);
    while ((await other.findApiKey("s1")) === null) await database.query("SELECT 1 WHERE $1 = 1", [1]);
    expect(await store.listApiKeys("dev")).toEqual([key]);
    expect(await store.listApiKeys("prod")).toEqual([]);
    expect(await store.revokeApiKey("prod", key.id)).toBe(false);
    expect(await store.revokeApiKey("dev", key.id)).toBe(true);
    expect(await store.revokeApiKey("dev", key.id)).toBe(false);
    expect(await store.findApiKey("s1")).toMatchObject({ revokedAt: expect.any(String) });
    while ((await other.findApiKey("s1"))?.revokedAt === null) await database.query("SELECT 1 WHERE $1 = 1", [1]);
  });

  it("answers a ping", async () => {
    await expect(store.ping()).resolves.toBeUndefined();
  });
});
