import { describe, expect, test } from "vitest";
import type { CompiledValue } from "../bundle.ts";
import { tableValues } from "./__fixtures__/expression-scope.ts";
import { ACCEPTED } from "./__fixtures__/expression-table.ts";
import { prepareCondition, prepareList, prepareValue } from "./evaluate.ts";
import { ExpressionError } from "./expression-error.ts";

const at = { file: "flows/reply.yaml", line: 7, column: 12 };
const expression = (source: string): CompiledValue => ({ expression: { source, at } });
const evaluate = (source: string, scope: object = tableValues()) => prepareValue(expression(source))(scope as { [name: string]: unknown });

function errorOf(work: () => unknown): ExpressionError {
  try {
    work();
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error("nothing failed");
}

describe("values of the table", () => {
  test.each(ACCEPTED)("%s", (source, _type, result) => {
    if ("fails" in result) expect(errorOf(() => evaluate(source)).code).toBe(result.fails);
    else if ("missing" in result) expect(evaluate(source)).toBeUndefined();
    else expect(evaluate(source)).toEqual(result.value);
  });
});

describe("a prepared value", () => {
  test("prints text, numbers, bools, lists and times, and nothing for null and missing", () => {
    const parts = (source: string): CompiledValue => ({ parts: ["[", { source, at }, "]"] });
    const print = (source: string) => prepareValue(parts(source))(tableValues());
    expect(print("input.ticket")).toBe("[Refund?]");
    expect([print("3"), print("1.5"), print("1e21"), print("-0.0")]).toEqual(["[3]", "[1.5]", "[1e+21]", "[0]"]);
    expect(print("input.vip")).toBe("[true]");
    expect([print("steps.draft.output"), print("input.?tone")]).toEqual(["[]", "[]"]);
    expect(print("input.orders")).toBe('[[{"id":"o1","total":10,"note":"x"},{"id":"o2","total":2.5}]]');
    expect([print("run.startedAt"), print('duration("1m30s")')]).toEqual(["[2026-01-02T03:04:05.000Z]", "[90s]"]);
  });

  test("leaves out entries and elements that are missing, and keeps those that are null", () => {
    const value: CompiledValue = {
      map: [
        ["tone", expression("input.?tone")],
        ["draft", expression("steps.draft.output")],
        ["list", { list: [expression("input.?tone"), { literal: 1 }] }],
      ],
    };
    expect(prepareValue(value)(tableValues())).toEqual({ draft: null, list: [1] });
  });

  test("shares structure with its scope and never changes it", () => {
    const scope = tableValues();
    const before = structuredClone(scope);
    expect(evaluate("input.orders", scope)).toBe(scope.input.orders);
    for (const [source] of ACCEPTED) {
      try {
        evaluate(source, scope);
      } catch {
        // Those that fail must change nothing either.
      }
    }
    expect(scope).toEqual(before);
  });

  test("can be used again and again, and by itself while it runs", () => {
    const prepared = prepareValue(expression("input.tags.map(t, input.tags.map(u, t + u))"));
    const once = prepared(tableValues());
    expect(prepared(tableValues())).toEqual(once);
    expect(once).toEqual([
      ["aa", "ab"],
      ["ba", "bb"],
    ]);
  });

  test("is false or true as a condition, and fails as one when it is neither", () => {
    expect(prepareCondition(expression("input.n > 2"))(tableValues())).toBe(true);
    expect(prepareCondition({ literal: false })(tableValues())).toBe(false);
    expect(errorOf(() => prepareCondition(expression("input.meta.k"))(tableValues())).code).toBe("bad-value");
    expect(prepareList(expression("input.tags"))(tableValues())).toEqual(["a", "b"]);
    expect(errorOf(() => prepareList(expression("input.meta.k"))(tableValues())).code).toBe("bad-value");
  });

  test("keeps keys like __proto__ and constructor plain data", () => {
    const made = evaluate('{"__proto__": {"polluted": true}, "constructor": 1}') as object;
    expect(Object.keys(made)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    const written = prepareValue({ map: [["__proto__", expression("input.n")]] })(tableValues()) as object;
    expect(Object.keys(written)).toEqual(["__proto__"]);
    for (const source of ["input.constructor", "input.meta.__proto__", "input.meta['toString']", "constructor", "input.tags.length"]) {
      expect(errorOf(() => evaluate(source)).code).toBe("no-such-field");
    }
    expect(evaluate('has(input.meta.constructor) || "constructor" in input.meta')).toBe(false);
  });
});

describe("a failure names its place", () => {
  test("with file, line and column of the part that failed", () => {
    const error = errorOf(() => evaluate('"x" + steps.draft.output.reply'));
    expect(error.code).toBe("null-access");
    expect(error.place).toEqual({ file: "flows/reply.yaml", line: 7, column: 18 });
    expect(error.message).toBe('flows/reply.yaml:7:18: steps.draft.output is null, so it has no field "reply".');
    expect(error.retryable).toBe(false);
  });

  test("also after line breaks and escapes in the file", () => {
    const value: CompiledValue = { expression: { source: "input.n +\ninput.meta.x", at, jumps: [[10, 8, 5]] } };
    expect(errorOf(() => prepareValue(value)(tableValues())).place).toEqual({ file: "flows/reply.yaml", line: 8, column: 16 });
  });

  test.each([
    ["input.labels.zzz", "no-such-field"],
    ["steps.draft.output.reply", "null-access"],
    ["input.tags[7]", "index-out-of-range"],
    ["input.tags[-1]", "index-out-of-range"],
    ["1 % 0", "division-by-zero"],
    ['int("x")', "bad-value"],
    ["1e308 * 10.0", "bad-value"],
    ['fromJson("[1e999]")', "bad-value"],
    ["input.meta.k ? 1 : 2", "bad-value"],
    ["input.meta.k.size()", "bad-value"],
  ])("%s: %s", (source, code) => {
    expect(errorOf(() => evaluate(source)).code).toBe(code);
  });

  test("when a bundle holds what does not parse", () => {
    expect(errorOf(() => prepareValue(expression("input.("))).code).toBe("bad-expression");
    expect(errorOf(() => prepareValue(expression("nope(1)"))).code).toBe("bad-expression");
  });
});
