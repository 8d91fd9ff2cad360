import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshPostgresUrl } from "../../../test/support/shared-databases.ts";
import type { EngineEvent } from "../../engine/index.ts";
import { type Database, openPostgres, openStore, type Store } from "../../store/index.ts";
import { linkProcesses } from "./link-processes.ts";
import { LiveEventHub } from "./live-event-hub.ts";
import { TextPlaces } from "./text-places.ts";

const of = (runId: string) => ({ runId, flow: "f", atMs: 0, path: "a" });
const delta = (runId: string, offset: number, text: string): EngineEvent => ({
  ...of(runId),
  type: "text-delta",
  attempt: 1,
  offset,
  text,
});

/** One process as far as live events are concerned: a hub, linked over a store of its own. */
describe("hubs of several processes on PostgreSQL", () => {
  let database: Database;
  const opened: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    database = await openPostgres({ connectionString: await freshPostgresUrl() });
  }, 60_000);
  afterAll(async () => {
    for (const one of opened.reverse()) await one.close();
    await database?.close();
  });

  async function processWith(role: { reads: boolean; executes: boolean }): Promise<LiveEventHub> {
    const store: Store = await openStore({ database, onlyProcess: false });
    const hub = new LiveEventHub();
    opened.push(store, await linkProcesses({ hub, peers: store.peers, ...role }));
    return hub;
  }

  /** What a reader is shown of a run: text may be told more than once, and is placed. */
  function listen(hub: LiveEventHub, runId: string) {
    const places = new TextPlaces();
    let shown = "";
    let look = () => {};
    const stop = hub.subscribe(runId, (event) => {
      const placed = event.type === "text-delta" ? places.place(event) : `<${event.type}>`;
      if (placed !== "nothing") shown += typeof placed === "string" ? placed : placed.show.text;
      look();
    });
    const until = (expected: string) =>
      new Promise<void>((resolve) => {
        look = () => shown === expected && resolve();
        look();
      });
    return { stop, until, shown: () => shown };
  }

  const watched = (hub: LiveEventHub, runId: string, is = true) => expect.poll(() => hub.isWatched(runId), { interval: 1 }).toBe(is);

  test("readers hear what happens in the process that executes, and nothing is sent of what nobody reads", async () => {
    const api = await processWith({ reads: true, executes: false });
    const worker = await processWith({ reads: false, executes: true });
    const reader = listen(api, "run_1");
    await watched(worker, "run_1");
    expect(worker.isWatched("run_2")).toBe(false);
    worker.publish({ ...of("run_1"), type: "step-started", kind: "task" });
    worker.publish(delta("run_2", 0, "not for us"));
    worker.publish(delta("run_1", 0, "Once "));
    worker.publish(delta("run_1", 5, "upon"));
    await reader.until("<step-started>Once upon");
    reader.stop();
    await watched(worker, "run_1", false);
  });

  test("who comes later, or asks again, is told the text so far; a process that comes later asks who watches", async () => {
    const first = await processWith({ reads: true, executes: true });
    const second = await processWith({ reads: true, executes: true });
    const early = listen(second, "run_3");
    await watched(first, "run_3");
    first.publish(delta("run_3", 0, "Once upon"));
    await early.until("Once upon");
    const late = listen(second, "run_3");
    await late.until("Once upon");
    const here = listen(first, "run_3");
    expect(here.shown()).toBe("Once upon");
    const third = await processWith({ reads: false, executes: true });
    await watched(third, "run_3");
    third.publish({ ...of("run_3"), type: "text-delta", attempt: 2, offset: 0, text: ", again" });
    await here.until("Once upon, again");
  });

  test("a run is watched from before its beginning when a reader is expected", async () => {
    const api = await processWith({ reads: true, executes: false });
    const worker = await processWith({ reads: false, executes: true });
    await api.expect("run_4");
    await watched(worker, "run_4");
    worker.publish(delta("run_4", 0, "Once"));
    await listen(api, "run_4").until("Once");
  });
});
