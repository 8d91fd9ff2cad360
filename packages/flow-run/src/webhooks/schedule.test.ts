import { expect, it } from "vitest";
import { judgeAttempt } from "./judge-attempt.ts";
import { readRetryAfter } from "./retry-after.ts";
import { ATTEMPTS, pauseAfter } from "./schedule.ts";

const SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const NOW = Date.parse("2026-11-20T12:00:00Z");
const steady = { random: () => 0, nowMs: NOW };

it("tries ten times, after pauses that grow to a day", () => {
  expect(ATTEMPTS).toBe(10);
  expect(Array.from({ length: 9 }, (_, index) => pauseAfter(index + 1, () => 0)! / 1_000)).toEqual(SECONDS);
  expect(pauseAfter(10, () => 0)).toBeNull();
  expect(pauseAfter(11, () => 0)).toBeNull();
});

it("spreads pauses over a fifth more than the schedule says, never less", () => {
  for (const random of [0, 0.3, 0.999]) {
    const pause = pauseAfter(2, () => random)!;
    expect(pause).toBeGreaterThanOrEqual(300_000);
    expect(pause).toBeLessThanOrEqual(360_000);
  }
});

it("waits as long as Retry-After asks, in seconds or as a date, a day at most and never shorter than the schedule", () => {
  const pause = (retryAfter: string) => {
    const { next } = judgeAttempt({ status: 429, retryAfter }, 1, steady);
    return next.status === "retry" ? next.afterMs / 1_000 : null;
  };
  expect(pause("120")).toBe(120);
  expect(pause("Fri, 20 Nov 2026 12:02:00 GMT")).toBe(120);
  expect(pause("999999999999")).toBe(86_400);
  for (const odd of ["-1", "0", "1", "soon", "", "1e9", "Fri, 20 Nov 2020 12:00:00 GMT", "NaN, 99"])
    expect([odd, pause(odd)]).toEqual([odd, 5]);
  expect(readRetryAfter(undefined, NOW)).toBeNull();
});

it("takes 2xx alone for a success, follows no redirect, and ends at 410 and after the last attempt", () => {
  const judged = (status: number, attempt = 1) => judgeAttempt({ status, retryAfter: undefined }, attempt, steady).next.status;
  for (const status of [200, 201, 204, 299]) expect(judged(status)).toBe("delivered");
  for (const status of [301, 302, 307, 308, 400, 401, 404, 429, 500, 503]) expect([status, judged(status)]).toEqual([status, "retry"]);
  expect(judged(500, 10)).toBe("exhausted");
  expect(judged(200, 10)).toBe("delivered");
  expect(judgeAttempt({ error: "timeout" }, 10, steady).next).toEqual({ status: "exhausted" });
  expect(judgeAttempt({ status: 410, retryAfter: "5" }, 1, steady).next).toEqual({ status: "disabled", gone: true });
  expect(judgeAttempt({ status: 302, retryAfter: undefined }, 1, steady).error).toContain("redirects are not followed");
});
