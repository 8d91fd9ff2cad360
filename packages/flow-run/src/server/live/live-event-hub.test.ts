import { expect, test } from "vitest";
import type { EngineEvent } from "../../engine/index.ts";
import type { LiveEvent } from "./live-event.ts";
import { LiveEventHub } from "./live-event-hub.ts";

const delta = (runId: string, text: string, offset = 0): EngineEvent => ({
  type: "text-delta",
  runId,
  flow: "f",
  atMs: 0,
  path: "p",
  attempt: 1,
  offset,
  text,
});

test("each watcher hears its own run, until it stops", () => {
  const hub = new LiveEventHub();
  const heard: string[] = [];
  const note = (who: string) => (event: LiveEvent) => void heard.push(`${who} ${event.type === "text-delta" && event.text}`);
  const stopA = hub.subscribe("run_1", note("a"));
  hub.subscribe("run_1", note("b"));
  hub.subscribe("run_2", note("c"));
  hub.publish(delta("run_1", "one"));
  stopA();
  stopA();
  hub.publish(delta("run_1", "two"));
  hub.publish(delta("run_2", "three"));
  hub.publish(delta("run_3", "four"));
  expect(heard).toEqual(["a one", "b one", "b two", "c three"]);
});
