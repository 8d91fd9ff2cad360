import { Environment } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tableScope } from "./__fixtures__/expression-scope.ts";
import { expressions, values } from "./__fixtures__/random-expressions.ts";
import { checkExpression } from "./check-expression.ts";
import { prepareValue } from "./evaluate.ts";
import { ExpressionError } from "./expression-error.ts";
import type { Type } from "./type.ts";
import { view } from "./type-view.ts";

const RUNS = Number(process.env.FLOW_RUN_PROPERTY_RUNS ?? 2_000);
const scope = tableScope();
const at = { file: "flows/x.yaml", line: 1, column: 1 };

/** What may go wrong at run time though the types are right: indexes, keys of maps, division and work. */
const EXCUSED = ["index-out-of-range", "no-such-field", "division-by-zero", "too-much-work"];

function evaluate(source: string, data: { [name: string]: unknown }): { value: unknown } | { failed: ExpressionError } {
  try {
    return { value: prepareValue({ expression: { source, at } })(data) };
  } catch (error) {
    if (error instanceof ExpressionError) return { failed: error };
    throw error;
  }
}

/** Whether a value is one of the type. */
function fits(value: unknown, type: Type): boolean {
  const { base, nullable, optional } = view(type);
  if (value === undefined) return optional;
  if (value === null) return nullable || base.kind === "any";
  switch (base.kind) {
    case "any":
      return true;
    case "never":
    case "null":
      return false;
    case "bool":
      return typeof value === "boolean";
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "string":
      return typeof value === "string" && (base.values?.includes(value) ?? true);
    case "timestamp":
    case "duration":
      return typeof value === "string";
    case "list":
      return Array.isArray(value) && value.every((element) => fits(element, base.element));
    case "object": {
      if (typeof value !== "object" || Array.isArray(value)) return false;
      const rest = base.rest;
      return (
        [...base.fields].every(([name, field]) =>
          Object.hasOwn(value, name) ? fits(Reflect.get(value, name), field.type) : field.optional,
        ) &&
        Object.entries(value).every(
          ([name, part]) => base.fields.has(name) || rest === "undeclared" || (rest !== "closed" && fits(part, rest)),
        )
      );
    }
  }
}

test("what the checker accepts never fails on data that fits, and gives a value of its type", () => {
  let accepted = 0;
  fc.assert(
    fc.property(expressions(), values(), (source, data) => {
      const { problems, type } = checkExpression(source, scope);
      if (problems.length > 0) return;
      accepted++;
      const result = evaluate(source, data);
      if ("failed" in result) expect(EXCUSED).toContain(result.failed.code);
      else if (!fits(result.value, type)) throw new Error(`${JSON.stringify(result.value)} is not of the type`);
    }),
    { numRuns: RUNS },
  );
  expect(accepted).toBeGreaterThan(RUNS / 4);
});

/** The library's own evaluator, taught that there is one kind of number. */
function oracle(): Environment {
  const environment = new Environment({ enableOptionalTypes: true, unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
  const calculate: { [op: string]: (a: number, b: number) => number } = {
    "+": (a, b) => a + b,
    "-": (a, b) => a - b,
    "*": (a, b) => a * b,
  };
  for (const [op, apply] of Object.entries(calculate)) {
    for (const [left, right] of [
      ["double", "int"],
      ["int", "double"],
    ]) {
      environment.registerOperator(`${left} ${op} ${right}: double`, (a: unknown, b: unknown) => apply(Number(a), Number(b)));
    }
  }
  return environment;
}

/** The oracle's values as plain JSON. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null && "hasValue" in value) {
    const maybe = value as unknown as { hasValue(): boolean; value(): unknown };
    return maybe.hasValue() ? plain(maybe.value()) : undefined;
  }
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
  return value === 0 ? 0 : value;
}

test("where the parser's own evaluator gives a value too, it is the same", () => {
  const environment = oracle();
  let compared = 0;
  fc.assert(
    fc.property(expressions(), values(), (source, data) => {
      if (checkExpression(source, scope).problems.length > 0) return;
      const result = evaluate(source, data);
      if ("failed" in result) return;
      let expected: unknown;
      try {
        expected = plain(environment.evaluate(source, data));
      } catch {
        return;
      }
      compared++;
      expect(result.value).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
  expect(compared).toBeGreaterThan(RUNS / 10);
});
