import { suggest } from "@flow-run/spec";
import { type Checker, solid } from "./checker.ts";
import { assume } from "./facts.ts";
import { isNumeric, joinable, joinTypes } from "./join-types.ts";
import type { Tree } from "./parse.ts";
import type { Scope } from "./scope.ts";
import { showType } from "./show-type.ts";
import { anyType, boolType, durationType, integerType, numberType, stringType, type Type, timestampType } from "./type.ts";
import { view } from "./type-view.ts";

type Of<Op extends Tree["op"]> = Extract<Tree, { op: Op }>;
type BinaryTree = Of<"+" | "-" | "*" | "/" | "%" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "in">;

/** A condition: bool and nothing else. */
export function checkBool(tree: Tree, scope: Scope, checker: Checker): void {
  const type = solid(checker, checker.check(tree, scope), tree);
  const { kind } = view(type).base;
  if (kind === "bool" || kind === "any" || kind === "never") return;
  const hint = kind === "string" ? 'compare it, for example x != ""' : isNumeric(kind) ? "compare it, for example x > 0" : undefined;
  checker.report("type-mismatch", `A bool is needed here, and this is ${showType(type)}.`, tree, hint);
}

export function checkLogical(tree: Of<"&&" | "||">, scope: Scope, checker: Checker): Type {
  const [left, right] = tree.args;
  checkBool(left, scope, checker);
  checkBool(right, assume(scope, left, tree.op === "&&"), checker);
  return boolType;
}

export function checkNot(tree: Of<"!_">, scope: Scope, checker: Checker): Type {
  checkBool(tree.args, scope, checker);
  return boolType;
}

export function checkConditional(tree: Of<"?:">, scope: Scope, checker: Checker): Type {
  const [condition, yes, no] = tree.args;
  checkBool(condition, scope, checker);
  const left = checker.check(yes, assume(scope, condition, true));
  const right = checker.check(no, assume(scope, condition, false));
  if (joinable(left, right)) return joinTypes(left, right);
  checker.report("type-mismatch", `One side is ${showType(left)}, the other ${showType(right)}.`, tree, "both sides must be of one type");
  return anyType;
}

export function checkNegation(tree: Of<"-_">, scope: Scope, checker: Checker): Type {
  const type = solid(checker, checker.check(tree.args, scope), tree.args);
  const { base } = view(type);
  if (isNumeric(base.kind)) return base;
  if (base.kind !== "any" && base.kind !== "never") {
    checker.report("type-mismatch", `A number is needed here, and this is ${showType(type)}.`, tree.args);
  }
  return numberType;
}

export function checkBinary(tree: BinaryTree, scope: Scope, checker: Checker): Type {
  const [left, right] = tree.args;
  const nulls = tree.op === "==" || tree.op === "!=" ? "allowed" : "refused";
  const first = solid(checker, checker.check(left, scope), left, tree.op === "in" ? "allowed" : nulls);
  const second = solid(checker, checker.check(right, scope), right, nulls);
  switch (tree.op) {
    case "==":
    case "!=":
      checkEqual(tree, first, second, checker);
      return boolType;
    case "<":
    case "<=":
    case ">":
    case ">=":
      checkOrder(tree, first, second, checker);
      return boolType;
    case "in":
      checkIn(left, right, first, second, checker);
      return boolType;
    default:
      return checkArithmetic(tree, view(first).base, view(second).base, checker);
  }
}

/** The side that the author probably got wrong: the one written out. */
function suspect(left: Tree, right: Tree): Tree {
  return left.op === "value" && right.op !== "value" ? left : right;
}

function checkEqual(tree: BinaryTree, left: Type, right: Type, checker: Checker): void {
  const [first, second] = tree.args;
  const at = suspect(first, second);
  const [a, b] = [view(left).base, view(right).base];
  if (!joinable(a, b)) {
    const hint = isNumeric(a.kind) && b.kind === "string" ? "leave the quotes away, or write string(…)" : undefined;
    checker.report("type-mismatch", `${showType(left)} and ${showType(right)} are never equal.`, at, hint);
  } else if (view(left).nullable && view(right).nullable) {
    return;
  } else if (a.kind === "string" && b.kind === "string" && a.values && b.values && !a.values.some((value) => b.values!.includes(value))) {
    const [known, written] = at === second ? [a.values, b.values] : [b.values, a.values];
    reportNeverEqual(known, written, at, checker);
  }
}

function reportNeverEqual(known: readonly string[], written: readonly string[], at: Tree, checker: Checker): void {
  const nearest = written.length === 1 ? suggest(written[0]!, known) : undefined;
  const message = `${showType({ kind: "string", values: written })} is never one of ${showType({ kind: "string", values: known })}.`;
  checker.report("never-equal", message, at, nearest === undefined ? undefined : `did you mean "${nearest}"?`);
}

function checkOrder(tree: BinaryTree, left: Type, right: Type, checker: Checker): void {
  const [a, b] = [view(left).base.kind, view(right).base.kind];
  const [first, second] = tree.args;
  for (const [kind, type, at] of [
    [a, left, first],
    [b, right, second],
  ] as const) {
    if (!isOrdered(kind)) {
      checker.report("type-mismatch", `${showType(type)} has no order.`, at);
      return;
    }
  }
  if (joinable(view(left).base, view(right).base)) return;
  checker.report("type-mismatch", `${showType(left)} and ${showType(right)} cannot be compared.`, suspect(first, second));
}

function isOrdered(kind: Type["kind"]): boolean {
  return isNumeric(kind) || ["string", "timestamp", "duration", "any", "never"].includes(kind);
}

function checkIn(left: Tree, right: Tree, needle: Type, hay: Type, checker: Checker): void {
  const [a, b] = [view(needle).base, view(hay).base];
  if (b.kind === "list") {
    const element = view(b.element).base;
    if (!joinable(a, element)) {
      checker.report("type-mismatch", `${showType(needle)} is never in ${showType(hay)}.`, left);
    } else if (a.kind === "string" && a.values !== undefined && right.op === "list" && left.op !== "value") {
      for (const child of right.args) {
        const text = child.op === "value" && typeof child.args === "string" ? child.args : undefined;
        if (text !== undefined && !a.values.includes(text)) reportNeverEqual(a.values, [text], child, checker);
      }
    } else if (a.kind === "string" && element.kind === "string" && a.values && element.values) {
      if (!a.values.some((value) => element.values!.includes(value))) reportNeverEqual(element.values, a.values, left, checker);
    }
  } else if (b.kind === "object") {
    if (a.kind !== "string" && a.kind !== "any" && a.kind !== "never") {
      checker.report("type-mismatch", `Keys of objects are strings, and this is ${showType(needle)}.`, left);
    } else if (a.kind === "string" && a.values?.length === 1 && typeof b.rest === "string" && !b.fields.has(a.values[0]!)) {
      const nearest = suggest(a.values[0]!, b.fields.keys());
      const hint = nearest === undefined ? undefined : `did you mean "${nearest}"?`;
      checker.report("unknown-field", `There is no field "${a.values[0]}" in ${showType(b)}.`, left, hint);
    }
  } else if (b.kind !== "any" && b.kind !== "never") {
    const hint = b.kind === "string" ? "write text.contains(part)" : undefined;
    checker.report("type-mismatch", `"in" looks into lists and objects, and this is ${showType(hay)}.`, right, hint);
  }
}

const TIMES = ["timestamp", "duration"];

function checkArithmetic(tree: BinaryTree, left: Type, right: Type, checker: Checker): Type {
  const op = tree.op;
  const result = arithmeticType(op, left, right);
  if (result === undefined) {
    const [first, second] = tree.args;
    const usable = isNumeric(left.kind) || (op === "+" && (left.kind === "string" || left.kind === "list")) || TIMES.includes(left.kind);
    const texts = op === "+" && (left.kind === "string" || right.kind === "string");
    const message = `${showType(left)} ${op} ${showType(right)} cannot be calculated.`;
    checker.report("type-mismatch", message, usable ? second : first, texts ? "write string(…), or text around ${{ }}" : undefined);
    return anyType;
  }
  if (op === "/" && isCounted(tree.args[0]) && isCounted(tree.args[1])) {
    checker.report(
      "integer-division",
      "Is a whole number or a fraction meant? CEL cuts 7 / 2 to 3.",
      tree,
      "write double(…) / … for a fraction, int(double(…) / …) for a whole number",
    );
  }
  return result;
}

function arithmeticType(op: BinaryTree["op"], left: Type, right: Type): Type | undefined {
  const [a, b] = [left.kind, right.kind];
  if (isNumeric(a) && isNumeric(b)) return a === "integer" && b === "integer" && op !== "/" ? integerType : numberType;
  const open = (kind: Type["kind"]) => kind === "any" || kind === "never";
  if (open(a) && open(b)) return op === "+" || op === "-" ? anyType : numberType;
  if ((isNumeric(a) && open(b)) || (open(a) && isNumeric(b))) return numberType;
  if (op === "+") {
    if ((a === "string" || open(a)) && (b === "string" || open(b))) return stringType;
    if (left.kind === "list" && right.kind === "list") {
      return { kind: "list", element: joinable(left.element, right.element) ? joinTypes(left.element, right.element) : anyType };
    }
    if ((a === "list" && open(b)) || (open(a) && b === "list")) return { kind: "list", element: anyType };
    if (a === "timestamp" && (b === "duration" || open(b))) return timestampType;
    if ((a === "duration" || open(a)) && b === "timestamp") return timestampType;
    if (a === "duration" && b === "duration") return durationType;
    if ((a === "duration" && open(b)) || (open(a) && b === "duration")) return anyType;
  }
  if (op === "-") {
    if ((a === "timestamp" || open(a)) && b === "timestamp") return durationType;
    if (a === "timestamp" && b === "duration") return timestampType;
    if (a === "duration" && (b === "duration" || open(b))) return durationType;
    if ((a === "timestamp" && open(b)) || (open(a) && b === "duration")) return anyType;
  }
  return undefined;
}

/** A whole number written out or counted, so that the author may expect a fraction where CEL cuts it off. */
function isCounted(tree: Tree): boolean {
  switch (tree.op) {
    case "value":
      return typeof tree.args === "bigint";
    case "-_":
      return isCounted(tree.args);
    case "+":
    case "-":
    case "*":
    case "%":
      return isCounted(tree.args[0]) && isCounted(tree.args[1]);
    case "call":
      return tree.args[0] === "size";
    case "rcall":
      return ["size", "indexOf", "lastIndexOf"].includes(tree.args[0]);
    default:
      return false;
  }
}
