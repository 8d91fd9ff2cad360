import type { Scalar } from "yaml";
import type { CompiledExpression, CompiledValue } from "../bundle.ts";
import { checkExpression, type ExpressionCheck } from "../expression/check-expression.ts";
import { scalarMap } from "../expression/scalar-map.ts";
import type { Scope } from "../expression/scope.ts";
import { soleExpression, splitTemplate, type TemplatePart } from "../expression/template.ts";
import { literalType, stringType, type Type } from "../expression/type.ts";
import { view } from "../expression/type-view.ts";
import type { Span } from "./source-report.ts";
import type { WorkflowContext } from "./workflow-context.ts";

export interface CompiledTemplate {
  value: CompiledValue;
  type: Type;
  /** The check of an expression that stands alone. */
  sole?: ExpressionCheck;
  /** Nothing was wrong with it so far. */
  sound: boolean;
}

type ExpressionPart = Extract<TemplatePart, { kind: "expression" }>;

/** Splits a text, checks each expression in it and reports what is wrong at its place in the file. */
export function compileTemplate(node: Scalar, scope: Scope, context: WorkflowContext): CompiledTemplate {
  const text = String(node.value);
  if (!text.includes("${{")) return { value: { literal: text }, type: literalType(text), sound: true };
  const template = splitTemplate(text);
  const map = scalarMap(node, context.report.text);
  if (template.unclosed !== undefined) {
    const at = { start: map[template.unclosed]!, end: map[template.unclosed + 2]! + 1 };
    context.report.report(
      "syntax",
      'This "${{" has no "}}".',
      at,
      'close it, check the quotes inside, or write "$${{" for the characters themselves',
    );
  }
  const sole = soleExpression(template);
  if (sole) {
    const check = checkPart(sole, map, scope, context);
    const expression = locate(sole, map, context);
    return { value: { expression }, type: check.type, sole: check, sound: check.problems.length === 0 };
  }
  let sound = template.unclosed === undefined;
  const parts = template.parts.map((part): string | CompiledExpression => {
    if (part.kind === "text") return part.text;
    const check = checkPart(part, map, scope, context);
    if (check.problems.length > 0) sound = false;
    else if (!checkPrintable(check.type, spanIn(part, map, 0, part.source.length), context)) sound = false;
    return locate(part, map, context);
  });
  if (parts.every((part) => typeof part === "string")) {
    const literal = parts.join("");
    return { value: { literal }, type: literalType(literal), sound };
  }
  return { value: { parts }, type: stringType, sound };
}

/** Null and missing print nothing, which nobody wants to find out from a customer. */
function checkPrintable(type: Type, at: Span, context: WorkflowContext): boolean {
  const seen = view(type);
  const hint = "write coalesce(…, '') if nothing shall stand here then";
  if (seen.optional) context.report.report("possibly-missing", "This may be missing, and would print nothing.", at, hint);
  if (seen.nullable) context.report.report("possibly-null", "This may be null, and would print nothing.", at, hint);
  return !seen.optional && !seen.nullable;
}

function checkPart(part: ExpressionPart, map: ArrayLike<number>, scope: Scope, context: WorkflowContext): ExpressionCheck {
  const check = checkExpression(part.source, scope);
  context.collect(check.vars, check.secrets);
  for (const problem of check.problems) {
    context.report.report(problem.code, problem.message, spanIn(part, map, problem.start, problem.end), problem.hint);
  }
  return check;
}

/** A stretch of an expression's source in the file. */
function spanIn(part: ExpressionPart, map: ArrayLike<number>, start: number, end: number): Span {
  const first = map[part.start + start]!;
  return { start: first, end: end > start ? Math.max(map[part.start + end - 1]! + 1, first) : first };
}

function locate(part: ExpressionPart, map: ArrayLike<number>, context: WorkflowContext): CompiledExpression {
  const at = context.report.placeOf(map[part.start]!);
  const jumps: [number, number, number][] = [];
  for (let offset = 1; offset < part.source.length; offset++) {
    if (map[part.start + offset] === map[part.start + offset - 1]! + 1 && part.source[offset - 1] !== "\n") continue;
    const { line, column } = context.report.placeOf(map[part.start + offset]!);
    jumps.push([offset, line, column]);
  }
  return { source: part.source, at, ...(jumps.length === 0 ? {} : { jumps }) };
}
