import { Duration } from "./duration.ts";
import { equal } from "./equal.ts";
import { FORGIVEN, type Frame, isObject, type Run, type Site } from "./evaluation.ts";
import { ExpressionError } from "./expression-error.ts";
import type { Tree } from "./parse.ts";
import type { Surroundings } from "./surroundings.ts";
import { kindOf } from "./value-kind.ts";

/** The value as a bool; there is no truthiness. */
export function asBool(value: unknown, site: Site): boolean {
  return typeof value === "boolean" ? value : site.fail("bad-value", `A bool is needed here, not ${kindOf(value)}.`);
}

/** Whether another operand may still decide: anything but exhausted fuel. */
export function isForgivable(error: unknown): boolean {
  return error instanceof ExpressionError && error.code !== "too-much-work";
}

export function compileAnd(left: Run, right: Run, leftSite: Site, rightSite: Site): Run {
  return decide(left, right, leftSite, rightSite, false);
}

export function compileOr(left: Run, right: Run, leftSite: Site, rightSite: Site): Run {
  return decide(left, right, leftSite, rightSite, true);
}

/** `decisive` on either side is the result, even when the other side fails. */
function decide(left: Run, right: Run, leftSite: Site, rightSite: Site, decisive: boolean): Run {
  return (frame) => {
    let first: boolean;
    try {
      first = asBool(left(frame), leftSite);
    } catch (error) {
      if (!isForgivable(error)) throw error;
      leftSite.spend(frame, FORGIVEN);
      if (right(frame) === decisive) return decisive;
      throw error;
    }
    return first === decisive ? decisive : asBool(right(frame), rightSite);
  };
}

export function compileConditional(condition: Run, yes: Run, no: Run, site: Site): Run {
  return (frame) => (asBool(condition(frame), site) ? yes(frame) : no(frame));
}

export function compileNot(operand: Run, site: Site): Run {
  return (frame) => !asBool(operand(frame), site);
}

export function compileNegation(operand: Run, site: Site): Run {
  return (frame) => {
    const value = operand(frame);
    return typeof value === "number" ? 0 - value : site.fail("bad-value", `A number is needed here, not ${kindOf(value)}.`);
  };
}

type BinaryTree = Extract<Tree, { op: "+" | "-" | "*" | "/" | "%" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" }>;

export function compileBinary(op: BinaryTree["op"], left: Run, right: Run, tree: Tree, around: Surroundings): Run {
  const site = around.site(tree);
  switch (op) {
    case "==":
      return (frame) => equal(left(frame), right(frame), frame, site);
    case "!=":
      return (frame) => !equal(left(frame), right(frame), frame, site);
    case "<":
      return (frame) => compare(left(frame), right(frame), frame, site) < 0;
    case "<=":
      return (frame) => compare(left(frame), right(frame), frame, site) <= 0;
    case ">":
      return (frame) => compare(left(frame), right(frame), frame, site) > 0;
    case ">=":
      return (frame) => compare(left(frame), right(frame), frame, site) >= 0;
    case "in":
      return (frame) => contains(left(frame), right(frame), frame, site);
    case "+":
      return (frame) => add(left(frame), right(frame), frame, site);
    default:
      return (frame) => calculate(op, left(frame), right(frame), site);
  }
}

function compare(a: unknown, b: unknown, frame: Frame, site: Site): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") {
    site.spend(frame, Math.min(a.length, b.length) >> 10);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  if (a instanceof Duration && b instanceof Duration) return a.milliseconds - b.milliseconds;
  return site.fail("bad-value", `${kindOf(a)} and ${kindOf(b)} have no order.`);
}

function contains(needle: unknown, hay: unknown, frame: Frame, site: Site): boolean {
  if (Array.isArray(hay)) {
    for (const element of hay) {
      site.spend(frame, 1);
      if (equal(element, needle, frame, site)) return true;
    }
    return false;
  }
  if (isObject(hay) && typeof needle === "string") return Object.hasOwn(hay, needle);
  if (isObject(hay) && needle === null) return false;
  return site.fail("bad-value", `"in" looks for ${kindOf(needle)} in ${kindOf(hay)}; it finds elements of lists and keys of objects.`);
}

function add(a: unknown, b: unknown, frame: Frame, site: Site): unknown {
  if (typeof a === "number" && typeof b === "number") return finite(a + b, site);
  if (typeof a === "string" && typeof b === "string") {
    site.spendText(frame, a.length + b.length);
    return a + b;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    site.spend(frame, a.length + b.length);
    return [...a, ...b];
  }
  if (a instanceof Date && b instanceof Duration) return later(a, b.milliseconds, site);
  if (a instanceof Duration && b instanceof Date) return later(b, a.milliseconds, site);
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.milliseconds + b.milliseconds);
  return site.fail("bad-value", `${kindOf(a)} and ${kindOf(b)} cannot be added.`);
}

function calculate(op: "-" | "*" | "/" | "%", a: unknown, b: unknown, site: Site): unknown {
  if (typeof a === "number" && typeof b === "number") {
    if (op === "-") return finite(a - b, site);
    if (op === "*") return finite(a * b, site);
    if (b === 0) return site.fail("division-by-zero", "Division by zero.");
    return finite(op === "/" ? a / b : a % b, site);
  }
  if (op === "-" && a instanceof Date && b instanceof Date) return new Duration(a.getTime() - b.getTime());
  if (op === "-" && a instanceof Date && b instanceof Duration) return later(a, -b.milliseconds, site);
  if (op === "-" && a instanceof Duration && b instanceof Duration) return new Duration(a.milliseconds - b.milliseconds);
  return site.fail("bad-value", `${kindOf(a)} ${op} ${kindOf(b)} cannot be calculated.`);
}

function later(date: Date, milliseconds: number, site: Site): Date {
  const result = new Date(date.getTime() + milliseconds);
  return Number.isNaN(result.getTime()) ? site.fail("bad-value", "The timestamp is out of range.") : result;
}

function finite(value: number, site: Site): number {
  // JSON has no negative zero.
  if (value === 0) return 0;
  return Number.isFinite(value) ? value : site.fail("bad-value", "The result is too big for a number.");
}
