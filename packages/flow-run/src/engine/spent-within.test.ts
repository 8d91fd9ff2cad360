import { expect, it } from "vitest";
import { spentWithin } from "./spent-within.ts";

it("sums by workflow; further tries and rescues of a step are places of their own", () => {
  const one = { costNanoUsd: 1, tokens: 10 };
  const sums = spentWithin({
    top: one,
    "call.a": one,
    "call.b[2]": one,
    "call.try[1].a": one,
    "call.onError": one,
    "call.onError.a": one,
    "each[3].inner.x": one,
    "each[3].inner.try[1].x": one,
  });
  expect(Object.fromEntries([...sums].map(([place, { costNanoUsd, tokens }]) => [place, [costNanoUsd, tokens]]))).toEqual({
    call: [2, 20],
    "call.try[1]": [1, 10],
    "call.onError": [1, 10],
    "each[3]": [2, 20],
    "each[3].inner": [1, 10],
    "each[3].inner.try[1]": [1, 10],
  });
});
