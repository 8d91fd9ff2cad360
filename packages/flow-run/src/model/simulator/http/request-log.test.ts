import { expect, test } from "vitest";
import { RequestLog } from "./request-log.ts";

const request = (lastUserText: string, model = "gpt") => ({
  atMs: 0,
  protocol: "openai-chat" as const,
  model,
  attempt: null,
  bodySha256: "",
  lastUserText,
});
const tokens = (inputTokens: number) => ({ inputTokens, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 });

test("the newest requests are kept and the sums count them all", () => {
  const log = new RequestLog(3);
  for (let index = 1; index <= 5; index++) {
    const entry = log.add(request(`text ${index}`, index % 2 === 0 ? "even" : "__proto__"));
    Object.assign(entry, { status: 200, answeredInFull: index !== 5, usage: index === 4 ? null : tokens(index) });
  }
  expect(log.list().map(({ n, lastUserText }) => [n, lastUserText])).toEqual([
    [3, "text 3"],
    [4, "text 4"],
    [5, "text 5"],
  ]);
  expect(log.list(4).map(({ n }) => n)).toEqual([5]);
  expect(log.list(0, 2).map(({ n }) => n)).toEqual([3, 4]);
  expect(log.list(99)).toEqual([]);
  expect(log.totals()).toMatchObject({ requests: 5, answeredInFull: 4, byStatus: { 200: 5 }, usage: { inputTokens: 11, outputTokens: 4 } });
  expect(Object.entries(log.totals().models).map(([model, { requests }]) => [model, requests])).toEqual([
    ["__proto__", 3],
    ["even", 2],
  ]);
  log.clear();
  expect([log.total, log.list(), log.totals().requests]).toEqual([0, [], 0]);
});

test("long texts are cut to two hundred characters and stay well-formed", () => {
  const log = new RequestLog(1);
  const { lastUserText } = log.add(request(`${"x".repeat(199)}😀 and more`));
  expect(lastUserText).toHaveLength(200);
  expect(lastUserText.isWellFormed()).toBe(true);
});
