import { expect, test } from "vitest";
import { prepareValue } from "./evaluate.ts";
import { ExpressionError } from "./expression-error.ts";

const at = { file: "flows/x.yaml", line: 1, column: 1 };
const many = Array.from({ length: 400 }, (_, index) => index);
const big = "ab".repeat(500_000);
const input = { xs: many, big, aa: "a".repeat(1_000_000), deep: JSON.parse("[".repeat(5_000) + "]".repeat(5_000)) as unknown };

const WORST: [title: string, source: string][] = [
  ["three loops inside each other", "input.xs.map(a, input.xs.map(b, input.xs.map(c, a * b * c)))"],
  ["loops that look for something", "input.xs.all(a, input.xs.all(b, input.xs.all(c, c >= 0)))"],
  ["a large body in a loop", `input.xs.map(a, input.xs.map(b, ${Array(200).fill("a * b").join(" + ")}))`],
  ["a text doubled again and again", double("input.big", 12, "b + b")],
  ["a list doubled again and again", double("input.xs", 20, "b + b")],
  ["a list of ten times the same list, as text", `toJson(${double("[1,2,3,4,5,6,7,8,9,0]", 9, "[b,b,b,b,b,b,b,b,b,b]")})`],
  ["a list of ten times the same list, as a value", double("[1,2,3,4,5,6,7,8,9,0]", 9, "[b,b,b,b,b,b,b,b,b,b]")],
  [
    "the same lists compared",
    `${double("[1,2,3,4,5]", 9, "[b,b,b,b,b,b,b,b,b,b]")} == ${double("[1,2,3,4,5]", 9, "[b,b,b,b,b,b,b,b,b,b]")}`,
  ],
  ["a replacement that multiplies", 'input.aa.replace("a", input.aa)'],
  ["a join that multiplies", "input.xs.map(x, input.big).join(input.big)"],
  ["a split into letters, in a loop", 'input.xs.map(x, input.big.split(""))'],
  ["a pattern on a long text, in a loop", 'input.xs.map(x, input.aa.matches("(a*)*b"))'],
  ["many patterns made at run time", 'input.xs.map(x, "aaa".matches("(((a?){20}){20}){2}b" + string(x)))'],
  ["a pattern that needs a great deal of states", 'input.xs.map(x, input.big.matches("([ab]*)a([ab]){14}[c-e]"))'],
  ["distinct objects compared with each other", 'input.xs.map(x, {"x": x}).distinct()'],
  ["a search in a long text, in a loop", 'input.xs.map(a, input.xs.map(b, input.aa.contains("b")))'],
  ["texts compared in a loop", 'input.xs.map(a, input.xs.map(b, input.aa + "a" < input.aa + "b"))'],
  ["JSON read in a loop", 'input.xs.map(a, fromJson("[" + input.xs.map(x, "1").join(",") + "]"))'],
  ["errors that are forgiven in a loop", "input.xs.exists(a, input.xs.exists(b, input.xs.exists(c, 1 / (a - a) > 0)))"],
];

/** `cel.bind(b, START, cel.bind(b, BODY, …))`. */
function double(start: string, times: number, body: string): string {
  let source = "b";
  for (let i = 0; i < times; i++) source = `cel.bind(b, ${body}, ${source})`;
  return `cel.bind(b, ${start}, ${source})`;
}

test.each(WORST)("%s ends soon with too-much-work", (_title, source) => {
  const prepared = prepareValue({ expression: { source, at } });
  const started = process.cpuUsage();
  expect(() => prepared({ input })).toThrow(expect.objectContaining({ code: "too-much-work" }));
  const used = process.cpuUsage(started);
  // A bound, not a benchmark: without fuel these take from seconds to for ever.
  expect((used.user + used.system) / 1_000).toBeLessThan(1_000);
});

test("fuel is for all expressions of one template together", () => {
  const loop = { source: "input.xs.map(a, input.xs.map(b, 1)).size()", at };
  expect(prepareValue({ parts: [loop, " "] })({ input: { xs: many.slice(0, 200) } })).toBe("200 ");
  expect(() => prepareValue({ parts: [loop, loop, loop] })({ input: { xs: many.slice(0, 200) } })).toThrow(
    expect.objectContaining({ code: "too-much-work" }),
  );
});

test("each evaluation has fuel of its own", () => {
  const prepared = prepareValue({ expression: { source: "input.xs.map(a, input.xs.map(b, 1)).size()", at } });
  const scope = { input: { xs: many.slice(0, 250) } };
  for (let i = 0; i < 5; i++) expect(prepared(scope)).toBe(250);
});

test("a value nested deeper than the stack is an error of the expression, not a crash", () => {
  for (const source of ["toJson(input.deep)", "input.deep == fromJson(toJson(input.deep))", "string(size(toJson(input.deep)))"]) {
    try {
      prepareValue({ expression: { source, at } })({ input });
    } catch (error) {
      expect(error).toBeInstanceOf(ExpressionError);
    }
  }
});

test("a text that is merely handed on may be longer than one that is made", () => {
  expect(prepareValue({ expression: { source: "input.big", at } })({ input: { big: big + big } })).toHaveLength(2_000_000);
});
