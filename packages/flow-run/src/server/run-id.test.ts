import { expect, test } from "vitest";
import { createRunIds } from "./run-id.ts";

test("ids sort by the time they were made, also within a millisecond and when the clock goes back", () => {
  const times = [5, 5, 5, 6, 4, 7, 7, 2 ** 40, 2 ** 40 + 1];
  let at = 0;
  const newId = createRunIds(() => times[at++]!);
  const ids = times.map(() => newId());
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^run_[0-9a-hjkmnp-tv-z]{26}$/);
});

test("the time is the first ten digits, in base 32", () => {
  expect(createRunIds(() => 1_469_918_176_385)().slice(4, 14)).toBe("01aryz6s41");
});

test("a random part that is full counts over into the next digit", () => {
  const newId = createRunIds(
    () => 1,
    (bytes) => bytes.fill(31, 0, bytes.length).fill(0, 0, 1),
  );
  expect(newId()).toBe("run_00000000010zzzzzzzzzzzzzzz");
  expect(newId()).toBe("run_00000000011000000000000000");
});

test("a hundred thousand ids of two makers at one moment differ", () => {
  const makers = [createRunIds(() => 1), createRunIds(() => 1)];
  const ids = new Set<string>();
  for (let i = 0; i < 50_000; i++) for (const newId of makers) ids.add(newId());
  expect(ids.size).toBe(100_000);
});
