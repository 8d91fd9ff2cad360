import type { CompiledExpression } from "../bundle.ts";
import { ExpressionError, type ExpressionErrorCode } from "./expression-error.ts";
import type { Pattern } from "./pattern.ts";
import type { Range } from "./problem.ts";

/** Steps of work that the expressions of one template may take together. */
export const FUEL = 100_000;
/** UTF-16 units of a text that an expression makes. */
export const MAX_TEXT = 1_000_000;

/** What an expression sees; the names of EXPRESSIONS' scope. `undefined` means missing, here and in all values. */
export interface ExpressionScope {
  readonly [name: string]: unknown;
}

/** One evaluation under way. */
export interface Frame {
  readonly scope: ExpressionScope;
  /** Variables of comprehensions and `cel.bind`, by depth. */
  readonly locals: unknown[];
  fuel: number;
  /** Patterns made at run time, by source. */
  patterns?: Map<string, Pattern>;
}

/** What a forgiven failure costs: errors are slow to make. */
export const FORGIVEN = 50;

/** A compiled node. Never writes to what it reads. */
export type Run = (frame: Frame) => unknown;

/** Where a piece of code stands: spends fuel and fails in its name. */
export class Site implements Range {
  readonly expression: CompiledExpression;
  readonly start: number;
  readonly end: number;

  constructor(expression: CompiledExpression, range: Range) {
    this.expression = expression;
    this.start = range.start;
    this.end = range.end;
  }

  fail(code: ExpressionErrorCode, message: string): never {
    throw new ExpressionError(code, message, this.expression, this);
  }

  spend(frame: Frame, amount: number): void {
    frame.fuel -= amount;
    if (frame.fuel < 0) {
      this.fail("too-much-work", "The expression does too much work. Do it on shorter lists, or in a step of its own.");
    }
  }

  /** Pays for a text of this length before it is made. */
  spendText(frame: Frame, length: number): void {
    if (length > MAX_TEXT) this.fail("too-much-work", `The expression makes a text of more than ${MAX_TEXT} characters.`);
    this.spend(frame, length >> 6);
  }
}

/** A plain JSON object: not a list, not null, not a time. */
export function isObject(value: unknown): value is { [key: string]: unknown } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
