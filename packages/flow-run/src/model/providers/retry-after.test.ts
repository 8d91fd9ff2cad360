import { expect, it } from "vitest";
import { retryAfterMs } from "./retry-after.ts";

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const DAY = 24 * 60 * 60 * 1000;

it.each([
  [{ "retry-after": "7" }, 7_000],
  [{ "retry-after": "0.5" }, 500],
  [{ "retry-after": " 3 " }, 3_000],
  [{ "retry-after": "Sun, 22 Nov 2026 12:00:10 GMT" }, 10_000],
  [{ "retry-after": "Sun, 22 Nov 2026 11:59:00 GMT" }, 0],
  [{ "retry-after": "-1" }, 0],
  [{ "retry-after": "999999999" }, DAY],
  [{ "retry-after": "1e308" }, DAY],
  [{ "retry-after-ms": "250", "retry-after": "7" }, 250],
  [{ "retry-after-ms": "nonsense", "retry-after": "7" }, 7_000],
  [{ "retry-after": "soon" }, undefined],
  [{ "retry-after": "" }, undefined],
  [{}, undefined],
  [undefined, undefined],
] as const)("reads %j as %s", (headers, expected) => {
  expect(retryAfterMs(headers, NOW)).toBe(expected);
});
