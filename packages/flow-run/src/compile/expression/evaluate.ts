import type { Json } from "@flow-run/spec";
import type { CompiledExpression, CompiledValue } from "../bundle.ts";
import { compileExpression } from "./compile-expression.ts";
import { Duration } from "./duration.ts";
import { type ExpressionScope, type Frame, FUEL, type Run, Site } from "./evaluation.ts";
import { ExpressionError } from "./expression-error.ts";
import { print } from "./print.ts";
import { resultGuard } from "./result-guard.ts";
import { kindOf } from "./value-kind.ts";

/**
 * A compiled value, ready to be evaluated as often as needed. Returns `undefined` when the value is missing (`${{ input.?tone }}`); entries of maps
 * and elements of lists that are missing are left out. Results share structure with the scope: treat both as immutable.
 * Throws `ExpressionError`.
 */
export type PreparedValue = (scope: ExpressionScope) => Json | undefined;

/** Compiles the expressions of a value once. Throws `ExpressionError` with code `bad-expression` for a bundle that no compiler made. */
export function prepareValue(value: CompiledValue): PreparedValue {
  if ("literal" in value) {
    const { literal } = value;
    return () => literal;
  }
  if ("expression" in value) return prepareExpression(value.expression);
  if ("parts" in value) return prepareParts(value.parts);
  if ("list" in value) {
    const elements = value.list.map(prepareValue);
    return (scope) => elements.map((element) => element(scope)).filter((element) => element !== undefined);
  }
  const entries = value.map.map(([key, entry]) => [key, prepareValue(entry)] as const);
  return (scope) => {
    const made: [string, Json][] = [];
    for (const [key, entry] of entries) {
      const result = entry(scope);
      if (result !== undefined) made.push([key, result]);
    }
    return Object.fromEntries(made);
  };
}

/** For `if` and `until`: fails with `bad-value` when an unchecked value turns out not to be a bool. */
export function prepareCondition(value: CompiledValue): (scope: ExpressionScope) => boolean {
  const prepared = prepareValue(value);
  return (scope) => {
    const result = prepared(scope);
    return typeof result === "boolean" ? result : failWhole(value, `The condition must be a bool, not ${kindOf(result)}.`);
  };
}

/** For `forEach`: fails with `bad-value` when an unchecked value turns out not to be a list. */
export function prepareList(value: CompiledValue): (scope: ExpressionScope) => readonly Json[] {
  const prepared = prepareValue(value);
  return (scope) => {
    const result = prepared(scope);
    return Array.isArray(result) ? result : failWhole(value, `forEach needs a list, not ${kindOf(result)}.`);
  };
}

function failWhole(value: CompiledValue, message: string): never {
  const expression = "expression" in value ? value.expression : { source: "", at: { file: "", line: 1, column: 1 } };
  return new Site(expression, { start: 0, end: expression.source.length }).fail("bad-value", message);
}

function prepareExpression(expression: CompiledExpression): PreparedValue {
  const run = compileExpression(expression);
  const site = new Site(expression, { start: 0, end: expression.source.length });
  const guard = resultGuard(expression.source, site);
  return (scope) => {
    const frame: Frame = { scope, locals: [], fuel: FUEL };
    return shield(site, () => {
      const value = run(frame);
      if (value instanceof Date) return value.toISOString();
      if (value instanceof Duration) return value.toString();
      guard?.(value);
      return value as Json | undefined;
    });
  };
}

function prepareParts(parts: readonly (string | CompiledExpression)[]): PreparedValue {
  const runs = parts.map((part): string | { run: Run; site: Site } => {
    if (typeof part === "string") return part;
    return { run: compileExpression(part), site: new Site(part, { start: 0, end: part.source.length }) };
  });
  return (scope) => {
    const frame: Frame = { scope, locals: [], fuel: FUEL };
    let text = "";
    for (const part of runs) {
      if (typeof part === "string") text += part;
      else text += shield(part.site, () => print(part.run(frame), frame, part.site));
    }
    return text;
  };
}

/** A value nested so deeply that the stack ends is too much work, not a crash. */
function shield<Value>(site: Site, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError && !(error instanceof ExpressionError)) {
      return site.fail("too-much-work", "A value is too long or nested too deeply for an expression.");
    }
    throw error;
  }
}
