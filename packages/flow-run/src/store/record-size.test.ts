import type { Json } from "@flow-run/spec";
import fc from "fast-check";
import { expect, it } from "vitest";
import { checkLength, DEEPEST_VALUE, LARGEST_VALUE, measureValue } from "./record-size.ts";

it("measures about what JSON takes", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
      const length = JSON.stringify(value).length;
      const size = measureValue("value", value as Json);
      expect(size).toBeLessThanOrEqual(length * 4 + 8);
      expect(size).toBeGreaterThanOrEqual(length / 12);
    }),
  );
});

it("refuses what shares its parts and is endless as JSON, at once", () => {
  let value: Json = "x".repeat(100);
  for (let i = 0; i < 100; i++) value = [value, value];
  expect(() => measureValue("output of s", value)).toThrow(/^The output of s takes more than 16 MB as JSON/);
});

it("takes what is just small enough, in every direction", () => {
  expect(measureValue("value", "x".repeat(LARGEST_VALUE - 2))).toBe(LARGEST_VALUE);
  expect(() => measureValue("value", "x".repeat(LARGEST_VALUE - 1))).toThrow(expect.objectContaining({ code: "too-large" }));
  expect(() => checkLength("value", JSON.stringify("\u0001".repeat(3_000_000)))).toThrow(expect.objectContaining({ code: "too-large" }));
  let deep: Json = 1;
  for (let i = 0; i < DEEPEST_VALUE; i++) deep = [deep];
  measureValue("value", deep);
  expect(() => measureValue("value", [deep])).toThrow(expect.objectContaining({ code: "too-nested" }));
});
