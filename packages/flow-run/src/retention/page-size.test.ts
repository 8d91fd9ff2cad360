import { expect, test } from "vitest";
import { PageSize } from "./page-size.ts";

test("pages become as large as a short statement allows, and small again when it does not", () => {
  const size = new PageSize();
  const look = (msPerThing: number, times: number) => {
    for (let time = 0; time < times; time++) size.took(size.current, size.current * msPerThing);
    return size.current;
  };
  expect(look(0.1, 20)).toBe(250);
  expect(look(0.001, 20)).toBe(1_000);
  expect(look(5, 20)).toBe(20);
  size.took(0, 900);
  expect(size.current).toBe(20);
});
