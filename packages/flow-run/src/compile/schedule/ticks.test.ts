import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCron } from "./read-cron.ts";
import { findTicks } from "./ticks.ts";
import { isTimezone, suggestTimezone } from "./timezone.ts";

/** The ticks after a moment, in the form of `toISOString` without seconds. */
function ticks(cron: string, timezone: string, after: string, count: number): string[] {
  const found: string[] = [];
  for (let at = Date.parse(after); found.length < count; ) {
    at = findTicks(cron, timezone).next(at)!;
    found.push(new Date(at).toISOString().replace(/:00\.000Z$/, "Z"));
  }
  return found;
}

describe("ticks of a cron expression", () => {
  it("are those of the clocks in its time zone", () => {
    expect(ticks("30 9 * * MON-FRI", "UTC", "2026-11-20T09:30:00Z", 2)).toEqual(["2026-11-23T09:30Z", "2026-11-24T09:30Z"]);
    expect(ticks("30 9 * * *", "Asia/Kolkata", "2026-11-20T00:00:00Z", 2)).toEqual(["2026-11-20T04:00Z", "2026-11-21T04:00Z"]);
    expect(ticks("0 9 * * *", "Europe/Berlin", "2026-06-30T12:00:00Z", 1)).toEqual(["2026-07-01T07:00Z"]);
    expect(ticks("@daily", "America/New_York", "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-01T05:00Z"]);
    expect(ticks("0 0 29 2 *", "Europe/Berlin", "2026-01-01T00:00:00Z", 2)).toEqual(["2028-02-28T23:00Z", "2032-02-28T23:00Z"]);
  });

  it("can come every second", () => {
    expect(findTicks("* * * * * *", "UTC").next(Date.parse("2026-01-01T00:00:00.999Z"))).toBe(Date.parse("2026-01-01T00:00:01Z"));
    expect(findTicks("*/5 * * * * *", "UTC").next(Date.parse("2026-01-01T00:00:05Z"))).toBe(Date.parse("2026-01-01T00:00:10Z"));
  });

  it("come once, an hour later, when clocks skip them", () => {
    // Berlin, 29 March 2026: 02:00 is 03:00.
    expect(ticks("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3)).toEqual([
      "2026-03-28T01:30Z",
      "2026-03-29T01:30Z",
      "2026-03-30T00:30Z",
    ]);
    expect(ticks("0 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2)).toEqual(["2026-03-29T01:00Z", "2026-03-30T00:00Z"]);
    // The moment is the same from wherever one looks.
    expect(ticks("30 2 * * *", "Europe/Berlin", "2026-03-29T01:10:00Z", 1)).toEqual(["2026-03-29T01:30Z"]);
    expect(ticks("30 2 * * *", "Europe/Berlin", "2026-03-29T01:30:00Z", 1)).toEqual(["2026-03-30T00:30Z"]);
    // Clocks of Beirut go from 00:00 to 01:00.
    expect(ticks("0 0 * * *", "Asia/Beirut", "2026-03-27T23:00:00Z", 2)).toEqual(["2026-03-28T22:00Z", "2026-03-29T21:00Z"]);
  });

  it("come once, the first time, when clocks show them twice", () => {
    // Berlin, 25 October 2026: 03:00 is 02:00 again.
    expect(ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2)).toEqual(["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
    expect(ticks("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1)).toEqual(["2026-10-26T01:30Z"]);
    expect(ticks("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1)).toEqual(["2026-10-26T01:30Z"]);
    expect(ticks("0 2,3 * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 3)).toEqual([
      "2026-10-25T00:00Z",
      "2026-10-25T02:00Z",
      "2026-10-26T01:00Z",
    ]);
  });

  it("go by what the clocks show when they come in every hour", () => {
    const times = (from: string, to: number[]) =>
      to.map((minutes) => new Date(Date.parse(from) + minutes * 60_000).toISOString().slice(0, 16) + "Z");
    const spring = "2026-03-29T00:30:00.000Z";
    expect(ticks("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 5)).toEqual(times(spring, [0, 30, 60, 90, 120]));
    const autumn = "2026-10-24T23:30:00.000Z";
    expect(ticks("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 6)).toEqual(times(autumn, [0, 30, 60, 90, 120, 150]));
    // Lord Howe turns its clocks by half an hour.
    expect(ticks("*/30 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", 4)).toEqual(times("2026-04-04T14:30:00Z", [0, 30, 60, 90]));
  });

  it("follow each other whatever the moment from which they are looked for", () => {
    const crons = ["30 2 * * *", "*/20 * * * *", "15 1-3 * * *", "0 0 * * *", "59 23 L * *", "0 12 1 * MON", "10 30 2 * * *"];
    const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut", "Pacific/Apia"];
    const year = { min: Date.UTC(2026, 0, 1) / 1_000, max: Date.UTC(2026, 11, 31) / 1_000 };
    // Half of the moments are close to a time when clocks are turned.
    const turned = [Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1), Date.UTC(2026, 2, 8, 7), Date.UTC(2026, 10, 1, 6)].map(
      (at) => at / 1_000,
    );
    const moment = fc.oneof(
      fc.integer(year),
      fc.tuple(fc.constantFrom(...turned), fc.integer({ min: -14_400, max: 14_400 })).map(([at, by]) => at + by),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...crons),
        fc.constantFrom(...zones),
        moment,
        fc.integer({ min: 0, max: 20_000 }),
        (cron, zone, second, later) => {
          const found = findTicks(cron, zone);
          const [from, to] = [second * 1_000, (second + later) * 1_000];
          const next = found.next(from)!;
          expect(next).toBeGreaterThan(from);
          // A moment between two ticks has the same next tick.
          if (to < next) expect(found.next(to)).toBe(next);
          let last: number | null = null;
          for (let at = found.next(from)!; at <= to; at = found.next(at)!) last = at;
          expect(found.last(from, to)).toBe(last);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("agree with a search through every minute", () => {
    const zone = "America/New_York";
    const local = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    const shown: string[] = [];
    for (let at = Date.UTC(2026, 10, 1, 0), end = at + 86_400_000; at < end; at += 60_000) {
      if (/:(00|40)$/.test(local.format(at))) shown.push(new Date(at).toISOString().replace(/:00\.000Z$/, "Z"));
    }
    expect(ticks("*/40 * * * *", zone, "2026-10-31T23:59:00Z", shown.length)).toEqual(shown);
  });
});

describe("a cron expression", () => {
  it.each([
    ["", /has none/],
    ["* * * *", /this has 4/],
    ["* * * * * * *", /this has 7/],
    ["60 * * * *", /60/],
    ["* * * * mun", /mun/],
    ["0 0 30 2 *", /none of the months has such a day/],
    ["0 0 31 2,4 *", /none of the months/],
    ["H * * * *", /"H" in the field "minute"/],
    ["0 H(1-5) * * THU", /"H" in the field "hour"/],
    ["*/100 * * * *", /"minute" has only 60 values/],
    ["0 */36 * * *", /"hour" has only 24 values/],
    ["*/0 * * * *", /0/],
    ["@dayly", /no "@dayly"/],
    ["@reboot", /no "@reboot"/],
    ["a b c d e", /./],
  ])("%j is refused", (cron, problem) => {
    const reading = readCron(cron);
    expect("problem" in reading ? reading.problem : "read").toMatch(problem);
    expect(() => findTicks(cron, "UTC")).toThrow(RangeError);
  });

  it.each([
    "* * * * *",
    "0 0 * * 1#5",
    "0 0 29 2 *",
    "0 9 * * MON,THU",
    "  0   0 * * * ",
    "*/15 * * * * *",
    "@weekdays",
    "0 0 L * *",
    "0 0 * 2 1#5",
  ])("%j is taken", (cron) => {
    expect(readCron(cron)).toHaveProperty("expression");
  });

  it("names the short form that was meant", () => {
    expect(readCron("@dayly")).toMatchObject({ hint: 'did you mean "@daily"?' });
  });
});

describe("a time zone", () => {
  it("is a name of the IANA database", () => {
    expect(["UTC", "Europe/Berlin", "US/Eastern", "Etc/GMT+5", "CET"].filter((name) => !isTimezone(name))).toEqual([]);
    expect(["", "Mars/Base", "+02:00", "Berlin", "local"].filter(isTimezone)).toEqual([]);
  });

  it.each([
    ["Europe/Belrin", "Europe/Berlin"],
    ["Berlin", "Europe/Berlin"],
    ["New York", "America/New_York"],
    ["utx", "UTC"],
    ["Mars/Base", undefined],
  ])("%s: %s was meant", (name, meant) => {
    expect(suggestTimezone(name)).toBe(meant);
  });
});
