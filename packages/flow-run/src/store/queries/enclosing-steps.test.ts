import { expect, it } from "vitest";
import { enclosingSteps } from "./enclosing-steps.ts";

const at = (seconds: number) => new Date(seconds * 1000);
const enclosing = (steps: Record<string, number>) =>
  enclosingSteps(Object.entries(steps).map(([path, seconds]) => ({ path, startedAt: at(seconds) }))).map(
    ({ path, kind, startedAt }) => `${path} ${kind} ${startedAt.getTime() / 1000}`,
  );

it("finds the steps around those that are known, begun with the first of them", () => {
  expect(enclosing({ top: 1, "fix.second": 5, "fix.first": 3, "facts[2].a.b": 7, "facts[2].a.c": 8 })).toEqual([
    "fix workflow 3",
    "facts[2].a workflow 7",
    "facts[2] workflow 7",
  ]);
});

it("takes retries and elements for what they are, and leaves out what is known", () => {
  expect(enclosing({ "fix.try[1].draft": 2, called: 1, "called.onError.told": 4, "outer.items[0]": 6, task: 1 })).toEqual([
    "fix workflow 2",
    "called.onError rescue 4",
    "outer workflow 6",
  ]);
});
