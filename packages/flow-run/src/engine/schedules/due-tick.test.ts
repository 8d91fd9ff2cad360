import { expect, it } from "vitest";
import { findTicks } from "../../compile/index.ts";
import { dueTick } from "./due-tick.ts";

const at = (time: string) => Date.parse(time);
const due = (cron: string, tickedUntil: string, now: string, zone = "UTC") => {
  const { due, next } = dueTick(findTicks(cron, zone), at(tickedUntil), at(now));
  const text = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return { due: text(due), next: text(next) };
};

it("a tick is due from its moment on until it has been run", () => {
  const [daily, before, tick] = ["0 9 * * *", "2026-11-21T09:00:00.000Z", "2026-11-22T09:00:00.000Z"];
  expect(due(daily, before, "2026-11-22T08:59:59.999Z")).toEqual({ due: null, next: tick });
  expect(due(daily, before, tick)).toEqual({ due: tick, next: "2026-11-23T09:00:00.000Z" });
  expect(due(daily, before, "2026-11-22T09:00:03Z")).toEqual({ due: tick, next: "2026-11-23T09:00:00.000Z" });
  expect(due(daily, tick, "2026-11-22T09:00:03Z")).toEqual({ due: null, next: "2026-11-23T09:00:00.000Z" });
});

it("of many ticks that were missed the last one is due, however many they were", () => {
  expect(due("*/5 * * * *", "2026-11-22T00:00:00Z", "2026-11-22T07:12:00Z")).toMatchObject({ due: "2026-11-22T07:10:00.000Z" });
  expect(due("* * * * * *", "2026-11-01T00:00:00Z", "2026-11-22T07:12:00.500Z")).toMatchObject({ due: "2026-11-22T07:12:00.000Z" });
  expect(due("* * 9 * * *", "2026-11-01T00:00:00Z", "2026-11-22T20:00:00Z")).toMatchObject({ due: "2026-11-22T09:59:59.000Z" });
});

it("a tick that was missed more than a day ago is not due any more", () => {
  expect(due("0 9 * * MON", "2026-11-01T00:00:00Z", "2026-11-17T09:00:00Z")).toEqual({ due: null, next: "2026-11-23T09:00:00.000Z" });
  expect(due("0 9 * * MON", "2026-11-01T00:00:00Z", "2026-11-17T08:59:59Z")).toMatchObject({ due: "2026-11-16T09:00:00.000Z" });
});

it("a clock that is set back makes nothing due again", () => {
  expect(due("0 * * * *", "2026-11-22T09:00:00Z", "2026-11-22T07:30:00Z")).toEqual({ due: null, next: "2026-11-22T10:00:00.000Z" });
});

it("the hour that clocks show twice brings a tick at a fixed hour once", () => {
  const first = "2026-10-25T00:30:00.000Z";
  expect(due("30 2 * * *", "2026-10-24T00:30:00Z", "2026-10-25T00:31:00Z", "Europe/Berlin")).toMatchObject({ due: first });
  expect(due("30 2 * * *", first, "2026-10-25T01:31:00Z", "Europe/Berlin")).toEqual({ due: null, next: "2026-10-26T01:30:00.000Z" });
});
