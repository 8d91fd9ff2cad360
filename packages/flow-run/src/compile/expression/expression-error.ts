import { FlowRunError } from "@flow-run/spec";
import type { CompiledExpression, Place } from "../bundle.ts";
import type { Range } from "./problem.ts";

export type ExpressionErrorCode =
  | "no-such-field"
  | "null-access"
  | "index-out-of-range"
  | "division-by-zero"
  | "bad-value"
  | "too-much-work"
  | "bad-expression";

/** An expression failed while a run evaluated it. The message begins with file, line and column of the part that failed. */
export class ExpressionError extends FlowRunError {
  readonly place: Place;
  /** Offsets in `source`. */
  readonly range: Range;
  readonly source: string;

  constructor(code: ExpressionErrorCode, message: string, expression: CompiledExpression, range: Range) {
    const place = placeInExpression(expression, range.start);
    super(code, `${place.file}:${place.line}:${place.column}: ${message}`, { details: { ...place } });
    this.place = place;
    this.range = { start: range.start, end: range.end };
    this.source = expression.source;
  }
}

/** Where the character at `offset` of the expression's source stands in the author's file. */
export function placeInExpression(expression: CompiledExpression, offset: number): Place {
  let [from, line, column] = [0, expression.at.line, expression.at.column];
  for (const jump of expression.jumps ?? []) {
    if (jump[0] > offset) break;
    [from, line, column] = jump;
  }
  return { file: expression.at.file, line, column: column + offset - from };
}
