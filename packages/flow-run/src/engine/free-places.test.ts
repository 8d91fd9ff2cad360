import { expect, it } from "vitest";
import { freePlaces } from "./free-places.ts";

const NOW = 100_000;
const moved = (count: number, agoMs: number) => Array.from({ length: count }, () => ({ movedAtMs: NOW - agoMs }));

it("are those that no run holds", () => {
  expect(freePlaces(10, 4, moved(4, 0), NOW)).toBe(6);
  expect(freePlaces(10, 10, moved(10, 4_999), NOW)).toBe(0);
});

it("are also those of runs that stand still", () => {
  expect(freePlaces(10, 10, [...moved(7, 5_000), ...moved(3, 10)], NOW)).toBe(7);
  expect(freePlaces(10, 25, [...moved(20, 60_000), ...moved(5, 10)], NOW)).toBe(5);
});

it("are none when ten times as many are under way, however still they stand", () => {
  expect(freePlaces(10, 98, moved(98, 60_000), NOW)).toBe(2);
  expect(freePlaces(10, 100, moved(100, 60_000), NOW)).toBe(0);
});
