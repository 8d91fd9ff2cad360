import { expect, test } from "vitest";
import { SubmitLimiter } from "./submit-limiter.ts";

test("a caller may start so many runs a second, refilled evenly, whatever others do", () => {
  let now = 0;
  const limiter = new SubmitLimiter({ submitsPerSecond: 10, submitsInFlight: 1_000 }, () => now);
  expect(Array.from({ length: 10 }, () => limiter.enter("a"))).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(() => limiter.enter("a")).toThrow(expect.objectContaining({ code: "rate-limited", retryAfterMs: 1_000 }));
  expect(limiter.enter("b")).toBe(9);
  now = 99;
  expect(() => limiter.enter("a")).toThrow();
  now = 201;
  limiter.enter("a");
  limiter.enter("a");
  expect(() => limiter.enter("a")).toThrow();
  now = 1_000_000;
  expect(limiter.enter("a")).toBe(9);
});

test("a caller may have so many starts under way", () => {
  const limiter = new SubmitLimiter({ submitsPerSecond: 100, submitsInFlight: 2 }, () => 0);
  limiter.enter("a");
  limiter.enter("a");
  expect(() => limiter.enter("a")).toThrow(/waiting for the database/);
  limiter.leave("a");
  limiter.enter("a");
  expect(() => limiter.enter("a")).toThrow();
});

test("callers that are gone do not add up", () => {
  const limiter = new SubmitLimiter({ submitsPerSecond: 2, submitsInFlight: 2 }, () => 0);
  limiter.enter("busy");
  limiter.enter("busy");
  for (let i = 0; i < 25_000; i++) {
    limiter.enter(`caller ${i}`);
    limiter.leave(`caller ${i}`);
  }
  expect(() => limiter.enter("busy")).toThrow();
});
