import type { Check } from "./check.ts";

/** Answers take a while, and headers count in seconds. */
const TOLERATED_MS = 60_000;

/** This machine's clock against those of the providers that answered. One that is off breaks signatures and makes times of runs wrong. */
export function checkClock(dates: readonly Date[]): Check {
  const name = "clock";
  const now = Date.now();
  const offsets = dates.map((date) => now - date.getTime()).sort((a, b) => a - b);
  const offsetMs = offsets[Math.floor(offsets.length / 2)];
  if (offsetMs === undefined) return { name, status: "ok", detail: `${new Date(now).toISOString()}, nothing to compare it with` };
  if (Math.abs(offsetMs) < TOLERATED_MS) return { name, status: "ok", detail: "agrees with the providers'" };
  const direction = offsetMs > 0 ? "ahead of" : "behind";
  return {
    name,
    status: "warning",
    detail: `${Math.round(Math.abs(offsetMs) / 1000)} s ${direction} the providers'. Set this machine's clock, best by NTP.`,
  };
}
