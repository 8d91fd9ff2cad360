import type { Run } from "@flow-run/spec";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeEachDatabase } from "../../test/support/describe-each-database.ts";
import { endRun, newRun } from "../../test/support/store-fixtures.ts";
import { type NewRun, openStore, type Store } from "./index.ts";

describeEachDatabase("reading runs", (open) => {
  let store: Store;

  beforeAll(async () => {
    store = await openStore({ database: await open() });
  });
  afterAll(() => store.close());

  async function ids(filter: Parameters<Store["listRuns"]>[0]): Promise<string[]> {
    return (await store.listRuns(filter)).runs.map((run) => run.id);
  }

  it("finds a run in its own environment only", async () => {
    const { run } = await store.submitRun(newRun({ environment: "alone" }));
    expect(await store.getRun("alone", run.id)).toEqual(run);
    expect(await store.getRun("dev", run.id)).toBeNull();
    expect(await store.listSteps("dev", run.id)).toBeNull();
    expect(await store.listSteps("alone", run.id)).toEqual([]);
    expect(await store.getRun("alone", "nobody")).toBeNull();
    expect(await store.getRun("alone", "a\u0000b")).toBeNull();
    expect(await ids({ environment: "empty" })).toEqual([]);
  });

  it("answers many readers of a moment, each with its own run", async () => {
    const submitted = await Promise.all(Array.from({ length: 30 }, (_, i) => store.submitRun(newRun({ environment: "crowd", input: i }))));
    const read = await Promise.all(submitted.flatMap(({ run }) => [store.getRun("crowd", run.id), store.getRun("other", run.id)]));
    expect(read).toEqual(submitted.flatMap(({ run }) => [run, null]));
  });

  it("turns the pages newest first, without losing or repeating a run, also among runs of one moment", async () => {
    await Promise.all(Array.from({ length: 12 }, () => store.submitRun(newRun({ environment: "pages" }))));
    for (let i = 0; i < 5; i++) await store.submitRun(newRun({ environment: "pages" }));
    const all = (await store.listRuns({ environment: "pages", limit: 200 })).runs;
    expect(all).toHaveLength(17);
    const times = all.map((run) => run.createdAt);
    expect(times).toEqual(times.toSorted().reverse());
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.listRuns({ environment: "pages", limit: 4, cursor });
      paged.push(...page.runs.map((run) => run.id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(paged).toEqual(all.map((run) => run.id));
  });

  it("filters by flow, status and tag, each alone and together", async () => {
    const environment = "filters";
    const make = async (flow: string, tags: string[]) => (await store.submitRun(newRun({ environment, flow, tags, priority: 100 }))).run.id;
    const ended = await make("a", ["red", 'x"y']);
    for (const run of await store.claimRuns(100)) await endRun(store, run);
    const running = await make("a", ["red"]);
    await store.claimRuns(1);
    const queued = await make("b", ["red", "blue"]);
    const cancelled = await make("b", []);
    await store.cancelRun(environment, cancelled);
    expect(await ids({ environment, flow: "a" })).toEqual([running, ended]);
    expect(await ids({ environment, tag: "red" })).toEqual([queued, running, ended]);
    expect(await ids({ environment, tag: 'x"y' })).toEqual([ended]);
    expect(await ids({ environment, status: "succeeded" })).toEqual([ended]);
    expect(await ids({ environment, status: "running" })).toEqual([running]);
    expect(await ids({ environment, status: "queued" })).toEqual([queued]);
    expect(await ids({ environment, status: "cancelled" })).toEqual([cancelled]);
    expect(await ids({ environment, status: "failed" })).toEqual([]);
    expect(await ids({ environment, flow: "b", status: "queued", tag: "blue", limit: 1 })).toEqual([queued]);
    expect(await ids({ environment, tag: "' OR 1=1--" })).toEqual([]);
  });

  it("filters by several tags and statuses, by release, by time and by what is replayed", async () => {
    const environment = "more-filters";
    const make = async (tags: string[], over: Partial<NewRun> = {}) => (await store.submitRun(newRun({ environment, tags, ...over }))).run;
    const first = await make(["red", "blue"]);
    const second = await make(["red"], { release: 2 });
    const third = await make(["blue", "red", "green"]);
    await store.cancelRun(environment, second.id);
    expect(await ids({ environment, tag: ["red", "blue"] })).toEqual([third.id, first.id]);
    expect(await ids({ environment, tag: ["red", "blue", "green"] })).toEqual([third.id]);
    expect(await ids({ environment, tag: ["red", "none"] })).toEqual([]);
    expect(await ids({ environment, tag: [] })).toEqual([third.id, second.id, first.id]);
    expect(await ids({ environment, status: ["queued", "cancelled"] })).toEqual([third.id, second.id, first.id]);
    expect(await ids({ environment, status: ["failed", "cancelled"] })).toEqual([second.id]);
    expect(await ids({ environment, status: ["running", "queued"], tag: "green" })).toEqual([third.id]);
    expect(await ids({ environment, release: 2 })).toEqual([second.id]);
    // Times on the wire are cut to milliseconds; the database knows microseconds.
    const after = (run: Run) => new Date(Date.parse(run.createdAt) + 1).toISOString();
    expect(await ids({ environment, from: first.createdAt, to: after(third) })).toEqual([third.id, second.id, first.id]);
    expect(await ids({ environment, to: first.createdAt })).toEqual([]);
    expect(await ids({ environment, from: after(third) })).toEqual([]);
    const again = newRun({ environment });
    await store.replays.submit({ run: again, of: first.id, from: null, copied: [] });
    expect(await ids({ environment, replayOf: first.id })).toEqual([again.id]);
    expect(await ids({ environment: "other", replayOf: first.id })).toEqual([]);
    for (const run of await store.claimRuns(100)) await endRun(store, run);
  });

  it("takes limits that are out of bounds as the nearest that is in", async () => {
    expect(await ids({ environment: "pages", limit: 0 })).toHaveLength(17);
    expect(await ids({ environment: "pages", limit: -3 })).toHaveLength(1);
    expect(await ids({ environment: "pages", limit: 1e9 })).toHaveLength(17);
    expect(await ids({ environment: "pages", limit: Number.NaN })).toHaveLength(17);
  });

  it.each([
    "' OR 1=1--",
    "",
    "e30",
    Buffer.from('["1"]').toString("base64url"),
    Buffer.from('["1; DROP TABLE","x"]').toString("base64url"),
    Buffer.from('["99999999999999999999","x"]').toString("base64url"),
    Buffer.from('["1","a\\u0000"]').toString("base64url"),
    "A".repeat(5000),
  ])("refuses the cursor %j", async (cursor) => {
    await expect(store.listRuns({ environment: "pages", cursor })).rejects.toMatchObject({ code: "invalid-cursor" });
  });
});
