import { expect, it } from "vitest";
import { type Ask, allot, allotAlone } from "./allot.ts";

const NOW_MS = 1_000_000;

const ask = (member: string, keep: number): Ask => ({
  member,
  limits: { concurrency: 3 },
  places: { keep, want: 5 },
  since: 0,
  line: [],
  ahead: { requests: 0, tokens: 0 },
  corrections: { requests: [], tokens: [] },
  pauses: [],
});

it("a process that cannot reach the others takes none of the places that they may not know it to want", () => {
  const first = allot(null, ask("a", 0), NOW_MS);
  const second = allot(JSON.parse(JSON.stringify(first.state)), ask("b", 0), NOW_MS);
  expect([first.grant.places, second.grant.places]).toEqual([3, 0]);
  expect(allotAlone(first.state, ask("a", 3), NOW_MS).grant.places).toBe(3);
  expect(allotAlone(second.state, ask("b", 0), NOW_MS).grant.places).toBe(0);
});

it("a process that cannot reach the others goes on with the places that it had, as far as they are its part", () => {
  const first = allot(null, { ...ask("a", 0), places: { keep: 0, want: 1 } }, NOW_MS);
  const second = allot(JSON.parse(JSON.stringify(first.state)), ask("b", 0), NOW_MS);
  expect(second.grant.places).toBeGreaterThan(0);
  expect(allotAlone(second.state, ask("b", second.grant.places), NOW_MS).grant.places).toBe(1);
});
