import { describe, expect, test } from "vitest";
import { tableScope } from "./__fixtures__/expression-scope.ts";
import { ACCEPTED, REFUSED } from "./__fixtures__/expression-table.ts";
import { checkExpression } from "./check-expression.ts";
import { showType } from "./show-type.ts";

describe("an expression that fits its scope", () => {
  test.each(ACCEPTED)("%s is %s", (source, type) => {
    const { problems, type: found } = checkExpression(source, tableScope());
    expect(problems).toEqual([]);
    expect(showType(found)).toBe(type);
  });
});

describe("a mistake has its code, its place and a suggestion", () => {
  test.each(REFUSED)("%s: %s at %s", (source, code, at, hint) => {
    const { problems } = checkExpression(source, tableScope());
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    const [problem] = problems as [(typeof problems)[0]];
    const found = source.slice(problem.start, problem.end);
    if (code === "syntax" && at === "") expect(problem.start).toBe(source.length);
    else expect(found).toBe(at);
    if (hint !== undefined) expect(problem.hint).toContain(hint);
  });
});

test("all mistakes of an expression are found at once", () => {
  const { problems } = checkExpression("input.onn && input.tikcet == ''", tableScope());
  expect(problems.map(({ code, start, end }) => [code, start, end])).toEqual([
    ["unknown-field", 6, 9],
    ["unknown-field", 19, 25],
  ]);
});

test("names of variables are collected", () => {
  expect(checkExpression("vars.A + vars['B'] + vars.?C.orValue('')", tableScope()).vars).toEqual(["A", "B", "C"]);
});

test("a variable of a comprehension hides what is known of another of its name", () => {
  const { problems } = checkExpression("has(item.source) ? steps.facts.output.map(item, item.source) : []", tableScope());
  expect(problems.map((problem) => problem.code)).toEqual(["possibly-missing"]);
});
