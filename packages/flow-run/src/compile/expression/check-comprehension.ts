import { checkBool } from "./check-operator.ts";
import { type Checker, holdsTime, solid } from "./checker.ts";
import type { ComprehensionName } from "./compile-comprehension.ts";
import { assume } from "./facts.ts";
import type { Tree } from "./parse.ts";
import { bind, type Scope } from "./scope.ts";
import { showType } from "./show-type.ts";
import { anyType, boolType, listOf, type Type } from "./type.ts";
import { view } from "./type-view.ts";

/** `xs.map(x, …)`, `xs.map(x, condition, …)`, `filter`, `all`, `exists`, `exists_one`. */
export function checkComprehension(tree: Extract<Tree, { op: "rcall" }>, name: ComprehensionName, scope: Scope, checker: Checker): Type {
  const [, receiver, args] = tree.args;
  const element = elementOf(receiver, scope, checker);
  const result = name === "map" || name === "filter" ? listOf(anyType) : boolType;
  const [variable, ...bodies] = args;
  const most = name === "map" ? 2 : 1;
  if (variable?.op !== "id" || bodies.length === 0 || bodies.length > most) {
    const hint = bodies.length > most ? "there is one variable, the element" : `write xs.${name}(x, …)`;
    checker.report("wrong-arguments", `${name}() takes a name for the element and an expression.`, tree, hint);
    return result;
  }
  const inner = bind(scope, variable.args, element);
  const [first, second] = bodies as [Tree, Tree | undefined];
  if (name === "map") {
    if (second === undefined) return listOf(checkElement(first, inner, checker));
    checkBool(first, inner, checker);
    return listOf(checkElement(second, assume(inner, first), checker));
  }
  checkBool(first, inner, checker);
  if (name !== "filter") return boolType;
  return listOf(assume(inner, first).variables.fields.get(variable.args)!.type);
}

function elementOf(receiver: Tree, scope: Scope, checker: Checker): Type {
  const type = solid(checker, checker.check(receiver, scope), receiver);
  const { base } = view(type);
  if (base.kind === "list") return base.element;
  if (base.kind !== "any" && base.kind !== "never") {
    checker.report("type-mismatch", `A list is needed here, and this is ${showType(type)}.`, receiver);
  }
  return anyType;
}

/** Elements of a list are neither missing nor times. */
function checkElement(tree: Tree, scope: Scope, checker: Checker): Type {
  const type = solid(checker, checker.check(tree, scope), tree, "allowed");
  if (!holdsTime(type)) return type;
  checker.report("not-json", "JSON has no timestamps and durations.", tree, "write string(…) around it");
  return anyType;
}
