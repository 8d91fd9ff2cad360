import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { SessionGate } from "./session-gate.ts";

/** Work that notes when it starts and ends when it is told to. */
function stage() {
  const events: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const work = (name: string) => () => {
    events.push(name);
    return new Promise<string>((resolve, reject) => ends.set(name, (error) => (error ? reject(error) : resolve(name))));
  };
  const end = async (name: string, error?: Error) => {
    ends.get(name)?.(error);
    await new Promise(setImmediate);
  };
  return { events, work, end };
}

test("plain uses start at once, in the order they came, without waiting for each other", async () => {
  const { events, work } = stage();
  const gate = new SessionGate();
  void gate.shared(work("a"));
  void gate.shared(work("b"));
  expect(events).toEqual(["a", "b"]);
});

test("nothing starts while a use is alone, and afterwards all go on in the order they came", async () => {
  const { events, work, end } = stage();
  const gate = new SessionGate();
  void gate.alone(work("first"));
  void gate.shared(work("a"));
  void gate.alone(work("second"));
  void gate.shared(work("b"));
  expect(events).toEqual(["first"]);
  await end("first");
  expect(events).toEqual(["first", "a", "second"]);
  void gate.shared(work("c"));
  await end("second");
  expect(events).toEqual(["first", "a", "second", "b", "c"]);
});

test("a use that fails lets the next one in", async () => {
  const { events, work, end } = stage();
  const gate = new SessionGate();
  const failing = gate.alone(work("failing"));
  failing.catch(() => {});
  void gate.shared(work("next"));
  await end("failing", new Error("no"));
  await expect(failing).rejects.toThrow("no");
  expect(events).toEqual(["failing", "next"]);
});

test("work that waited runs in its own caller's context, not in that of whoever let it in", async () => {
  const { work, end } = stage();
  const gate = new SessionGate();
  const caller = new AsyncLocalStorage<string>();
  caller.run("ann", () => void gate.alone(work("first")));
  const seen = caller.run("bob", () => gate.shared(async () => caller.getStore()));
  await end("first");
  expect(await seen).toBe("bob");
});
