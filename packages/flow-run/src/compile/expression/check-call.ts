import { suggest } from "@flow-run/spec";
import { checkHas } from "./check-access.ts";
import { checkComprehension } from "./check-comprehension.ts";
import { settled } from "./check-literal.ts";
import { type Checker, holdsTime, solid } from "./checker.ts";
import { isComprehensionName } from "./compile-comprehension.ts";
import { Duration, parseTimestamp } from "./duration.ts";
import { ABSENT, FUNCTIONS, RENAMED, type Signature, SPECIAL } from "./functions.ts";
import { joinable, joinTypes } from "./join-types.ts";
import { mismatches } from "./mismatches.ts";
import type { Tree } from "./parse.ts";
import { compilePattern } from "./pattern.ts";
import type { Range } from "./problem.ts";
import { bind, type Scope } from "./scope.ts";
import { showType } from "./show-type.ts";
import { nameRange } from "./tree-shape.ts";
import { anyType, boolType, type Type } from "./type.ts";
import { notNull, nullable, present, view } from "./type-view.ts";

type CallTree = Extract<Tree, { op: "call" }>;
type MethodTree = Extract<Tree, { op: "rcall" }>;

export function checkCall(tree: CallTree, scope: Scope, checker: Checker): Type {
  const [name, args] = tree.args;
  if (name === "has") {
    const [path] = args;
    if (args.length === 1 && (path!.op === "." || path!.op === ".?")) checkHas(path!, scope, checker);
    else {
      const hint = path?.op === "[]" ? 'write a[?"name"].hasValue()' : "write has(input.tone)";
      checker.report("wrong-arguments", "has() takes one field.", tree, hint);
    }
    return boolType;
  }
  if (name === "coalesce") return checkCoalesce(tree, args, scope, checker);
  const signature = FUNCTIONS.get(name);
  const types = args.map((argument) => checker.check(argument, scope));
  if (signature && signature.style !== "method") return applySignature(name, signature, args, types, tree, checker);
  reportUnknown(name, "function", nameRange(tree), checker);
  return anyType;
}

export function checkMethod(tree: MethodTree, scope: Scope, checker: Checker): Type {
  const [name, receiver, args] = tree.args;
  if (receiver.op === "id" && !scope.variables.fields.has(receiver.args) && isNamespace(receiver.args)) {
    if (receiver.args === "cel" && name === "bind") return checkBind(tree, scope, checker);
    const at = { start: receiver.start, end: nameRange(tree).end };
    const nearest = FUNCTIONS.has(name) ? name : RENAMED.get(name);
    checker.report("no-such-function", `There is no function "${receiver.args}.${name}".`, at, nearest && `did you mean "${nearest}"?`);
    return anyType;
  }
  if (isComprehensionName(name)) return checkComprehension(tree, name, scope, checker);
  const base = checker.check(receiver, scope);
  const renamed = RENAMED.get(name);
  if (renamed !== undefined && isComprehensionName(renamed)) {
    reportUnknown(name, "method", nameRange(tree), checker);
    checkComprehension(tree, renamed, scope, checker);
    return anyType;
  }
  const signature = FUNCTIONS.get(name);
  if (signature === undefined && !SPECIAL.has(name)) {
    reportUnknown(name, "method", nameRange(tree), checker);
    // Of a function that does not exist nobody knows whether its first argument is a variable.
    if (args[0]?.op !== "id") for (const argument of args) checker.check(argument, scope);
    return anyType;
  }
  const types = args.map((argument) => checker.check(argument, scope));
  if (name === "hasValue" || name === "orValue") return checkOptional(tree, base, types, checker);
  if (signature && signature.style !== "function") {
    return applySignature(name, signature, [receiver, ...args], [base, ...types], tree, checker);
  }
  reportUnknown(name, "method", nameRange(tree), checker);
  return anyType;
}

function isNamespace(name: string): boolean {
  return ["cel", "math", "strings", "lists", "sets", "optional", "base64", "encoders", "Math", "JSON", "Object"].includes(name);
}

function reportUnknown(name: string, style: "function" | "method", at: Range, checker: Checker): void {
  const known = FUNCTIONS.get(name)?.style ?? SPECIAL.get(name);
  const others = [...FUNCTIONS.keys(), ...SPECIAL.keys()];
  const renamed = RENAMED.get(name) ?? suggest(name, others);
  let hint: string | undefined;
  if (known !== undefined) hint = known === "method" ? `write x.${name}(…)` : `write ${name}(x)`;
  else if (ABSENT.has(name)) hint = ABSENT.get(name);
  else if (renamed !== undefined) hint = `did you mean "${renamed}"?`;
  checker.report("no-such-function", `There is no ${style} "${name}".`, at, hint);
}

function applySignature(
  name: string,
  signature: Signature,
  args: readonly Tree[],
  types: readonly Type[],
  tree: CallTree | MethodTree,
  checker: Checker,
): Type {
  const { parameters, required = parameters.length } = signature;
  if (args.length < required || args.length > parameters.length) {
    const receivers = tree.op === "rcall" ? 1 : 0;
    const [least, most] = [required - receivers, parameters.length - receivers];
    const wanted = least === most ? `${most}` : `${least} or ${most}`;
    const hint = (name === "min" || name === "max") && args.length > 1 ? `write ${name}([a, b])` : undefined;
    checker.report("wrong-arguments", `${name}() takes ${wanted} argument${most === 1 ? "" : "s"}.`, tree, hint);
    return anyType;
  }
  types.forEach((type, index) => {
    checkArgument(name, type, parameters[index]!, args[index]!, checker);
  });
  checkWritten(name, args, tree, checker);
  const first = view(types[0]!).base;
  switch (signature.result) {
    case "element":
      return first.kind === "list" && view(first.element).base.kind === "integer" ? { kind: "integer" } : { kind: "number" };
    case "same":
      return first.kind === "list" ? first : { kind: "list", element: anyType };
    case "flat":
      return { kind: "list", element: first.kind === "list" ? flatElement(first.element) : anyType };
    default:
      return signature.result;
  }
}

function flatElement(element: Type): Type {
  const { base, nullable: mayBeNull } = view(element);
  if (base.kind !== "list") return element;
  return mayBeNull ? nullable(base.element) : base.element;
}

function checkArgument(name: string, type: Type, accepted: readonly Type[], at: Tree, checker: Checker): void {
  const nulls = accepted.some((one) => one.kind === "null") ? "allowed" : "refused";
  const value = solid(checker, type, at, nulls);
  if (name === "toJson" && holdsTime(value)) {
    checker.report("not-json", "JSON has no timestamps and durations.", at, "write string(…) around it");
    return;
  }
  const found = accepted.map((one) => mismatches(value, one));
  if (found.some((list) => list.length === 0)) return;
  const [only] = accepted.length === 1 ? found[0]! : [];
  const wanted = accepted.map(showType).join(" or ");
  const hint = name === "string" ? "write toJson(…)" : only?.hint;
  checker.report(only?.code ?? "type-mismatch", `${name}() takes ${wanted} here, and this is ${showType(value)}.`, at, hint);
}

/** Arguments written out can be judged now. */
function checkWritten(name: string, args: readonly Tree[], tree: Tree, checker: Checker): void {
  const index = name === "matches" ? 1 : 0;
  const argument = args[index];
  if (argument?.op !== "value" || typeof argument.args !== "string") return;
  const text = argument.args;
  if (name === "matches") {
    const pattern = compilePattern(text);
    if ("problem" in pattern) checker.report("bad-pattern", pattern.problem, argument, "RE2 has no lookaround and no back references");
  } else if (name === "timestamp" && parseTimestamp(text) === undefined) {
    checker.report("wrong-arguments", "This is not a timestamp.", argument, 'write it with time and offset: "2026-01-31T12:00:00Z"');
  } else if (name === "duration" && Duration.parse(text) === undefined) {
    checker.report("wrong-arguments", "This is not a duration.", argument, 'write "90s", "1h30m" or "1d"');
  } else if (name === "bool" && text !== "true" && text !== "false") {
    checker.report("wrong-arguments", 'bool() takes "true" or "false".', argument);
  } else if ((name === "int" || name === "double") && !Number.isFinite(Number(text))) {
    checker.report("wrong-arguments", "This text is not a number.", tree);
  }
}

/** The first argument that is neither null nor missing; null if there is none. */
function checkCoalesce(tree: Tree, args: readonly Tree[], scope: Scope, checker: Checker): Type {
  if (args.length === 0) {
    checker.report("wrong-arguments", "coalesce() needs an argument.", tree, "write coalesce(input.?tone, 'calm')");
    return anyType;
  }
  let joined: Type = { kind: "never" };
  let certain = false;
  for (const argument of args) {
    const type = checker.check(argument, scope);
    const seen = view(type);
    const value = notNull(present(type));
    if (!joinable(joined, value)) {
      checker.report("type-mismatch", `This is ${showType(value)}, and the arguments before it are ${showType(joined)}.`, argument);
      return anyType;
    }
    joined = joinTypes(joined, value);
    certain ||= !seen.nullable && !seen.optional;
  }
  if (certain) return joined;
  return joined.kind === "never" ? { kind: "null" } : nullable(joined);
}

function checkOptional(tree: MethodTree, base: Type, types: readonly Type[], checker: Checker): Type {
  const [name, receiver, args] = tree.args;
  const wanted = name === "orValue" ? 1 : 0;
  if (types.length !== wanted) {
    checker.report("wrong-arguments", `${name}() takes ${wanted} argument${wanted === 1 ? "" : "s"}.`, tree);
    return anyType;
  }
  if (base.kind !== "optional") {
    const hint = receiver.op === "." ? `write .?${receiver.args[1]}, or leave .${name}() away` : `leave .${name}() away`;
    checker.report("not-optional", `${showType(base)} is never missing.`, nameRange(tree), hint);
    return name === "hasValue" ? boolType : base;
  }
  if (name === "hasValue") return boolType;
  const [otherwise] = types as [Type];
  if (joinable(base.inner, otherwise)) return joinTypes(base.inner, otherwise);
  checker.report("type-mismatch", `This is ${showType(otherwise)}, and the value is ${showType(base.inner)}.`, args[0]!);
  return anyType;
}

/** `cel.bind(name, value, expression)`. */
function checkBind(tree: MethodTree, scope: Scope, checker: Checker): Type {
  const [, , args] = tree.args;
  const [name, value, body] = args;
  if (args.length !== 3 || name!.op !== "id") {
    checker.report(
      "wrong-arguments",
      "cel.bind() takes a name, a value and an expression.",
      tree,
      "write cel.bind(t, input.text.trim(), size(t) > 3)",
    );
    return anyType;
  }
  return checker.check(body!, bind(scope, name!.args, settled(checker.check(value!, scope))));
}
