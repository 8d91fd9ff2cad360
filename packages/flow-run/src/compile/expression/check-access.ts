import { suggest } from "@flow-run/spec";
import type { Checker } from "./checker.ts";
import { solid } from "./checker.ts";
import { joinAll } from "./join-types.ts";
import type { Tree } from "./parse.ts";
import type { Range } from "./problem.ts";
import type { Scope } from "./scope.ts";
import { showType } from "./show-type.ts";
import { isChain } from "./tree-shape.ts";
import { anyType, type ObjectType, type Type } from "./type.ts";
import { optional, type TypeView, view } from "./type-view.ts";

type AccessTree = Extract<Tree, { op: "." | ".?" }>;
type IndexTree = Extract<Tree, { op: "[]" | "[?]" }>;

export function checkName(tree: Extract<Tree, { op: "id" }>, scope: Scope, checker: Checker): Type {
  const type = readName(tree, scope, checker);
  const { base } = view(type);
  if (base.kind === "object" && base.collected) {
    const message = `"${tree.args}" is read name by name.`;
    checker.report("not-available-here", message, tree, `write ${base.collected}.NAME`);
    return anyType;
  }
  return type;
}

function readName(tree: Extract<Tree, { op: "id" }>, scope: Scope, checker: Checker): Type {
  return readField(scope.variables, tree.args, tree, false, checker, undefined);
}

/** `a.f`, `a.?f`. */
export function checkField(tree: AccessTree, scope: Scope, checker: Checker): Type {
  const base = checkBase(tree, scope, checker);
  const chain = isChain(tree);
  const type = readField(base.base, tree.args[1], { start: tree.pos, end: tree.end }, chain, checker, tree.args[0]);
  return chain ? optional(type) : type;
}

/** `has(a.f)`: the field must be declared, and need not be there. */
export function checkHas(tree: AccessTree, scope: Scope, checker: Checker): void {
  const base = checkBase(tree, scope, checker);
  readField(base.base, tree.args[1], { start: tree.pos, end: tree.end }, true, checker, tree.args[0]);
}

/** `a["f"]`, `a[0]`, `a[?0]`. */
export function checkIndex(tree: IndexTree, scope: Scope, checker: Checker): Type {
  const { base } = checkBase(tree, scope, checker);
  const index = tree.args[1];
  const chain = isChain(tree);
  const type = readIndex(base, index, solid(checker, checker.check(index, scope), index), chain, checker, tree.args[0]);
  return chain ? optional(type) : type;
}

/** What a field is read from. Reports null and missing unless the chain allows them. */
function checkBase(tree: AccessTree | IndexTree, scope: Scope, checker: Checker): TypeView {
  const base = tree.args[0];
  const type = base.op === "id" ? readName(base, scope, checker) : checker.check(base, scope);
  if (tree.op === ".?" || tree.op === "[?]" || isChain(base)) return view(type);
  return view(solid(checker, type, base));
}

function readIndex(base: TypeView["base"], index: Tree, indexType: Type, chain: boolean, checker: Checker, owner: Tree): Type {
  const at = view(indexType).base;
  const text = index.op === "value" && typeof index.args === "string" ? index.args : undefined;
  switch (base.kind) {
    case "any":
    case "never":
      return base;
    case "list":
      if (text !== undefined) {
        checker.report("unknown-field", `A list has no field "${text}".`, index, "write a number, for example xs[0]");
      } else if (at.kind !== "integer" && at.kind !== "any" && at.kind !== "never") {
        checker.report("type-mismatch", `A list is read with an integer, not with ${showType(indexType)}.`, index);
      }
      return base.element;
    case "object":
      if (text !== undefined) return readField(base, text, index, chain, checker, owner);
      if (at.kind !== "string" && at.kind !== "any" && at.kind !== "never") {
        checker.report("type-mismatch", `An object is read with a string, not with ${showType(indexType)}.`, index);
        return anyType;
      }
      if (base.collected) {
        checker.report("not-available-here", `"${base.collected}" is read name by name.`, index, `write ${base.collected}.NAME`);
        return anyType;
      }
      return readAnyField(base);
    default:
      checker.report("type-mismatch", `${showType(base)} has no elements.`, index);
      return anyType;
  }
}

/** The type of a field whose name is only known when the expression runs. */
function readAnyField(base: ObjectType): Type {
  if (base.rest === "undeclared") return anyType;
  const rest = base.rest === "closed" ? [] : [base.rest];
  const types = [...[...base.fields.values()].map((field) => field.type), ...rest];
  return types.length === 0 ? anyType : joinAll(types);
}

/** `owner` is what the field is read from; absent for a variable. */
function readField(base: TypeView["base"], name: string, at: Range, tolerant: boolean, checker: Checker, owner: Tree | undefined): Type {
  if (base.kind === "any" || base.kind === "never" || base.kind === "null") return base.kind === "null" ? { kind: "never" } : base;
  if (base.kind !== "object") {
    checker.report("unknown-field", `${showType(base)} has no field "${name}".`, at, insteadOf(name, base));
    return anyType;
  }
  if (base.collected) checker.collect(base.collected, name);
  const field = base.fields.get(name);
  if (field !== undefined) {
    if (field.optional && !tolerant) {
      const from = owner === undefined ? "" : checker.quote(owner);
      const hint = `write coalesce(${from}.?${name}, otherwise), or check has(${from}.${name}) first`;
      checker.report("possibly-missing", `"${name}" may be missing.`, at, hint);
    }
    return field.type;
  }
  const reason = base.absent?.get(name);
  if (reason !== undefined) {
    checker.report("not-available-here", reason, at);
    return anyType;
  }
  if (typeof base.rest !== "string") return base.rest;
  reportUnknown(base, name, at, checker);
  return anyType;
}

function reportUnknown(base: ObjectType, name: string, at: Range, checker: Checker): void {
  const noun = base.noun ?? "field";
  const names = [...base.fields.keys()];
  const nearest = suggest(name, [...names, ...(base.absent?.keys() ?? [])]);
  // `a.my-step` is read as `a.my` minus `step`.
  const hyphened = names.find((other) => other.startsWith(`${name}-`));
  if (hyphened !== undefined) {
    checker.report(`unknown-${noun}`, `There is no ${noun} "${name}".`, at, `names with a hyphen are written ["${hyphened}"]`);
    return;
  }
  const known = names.length === 0 ? `there is no ${noun} yet` : `there is ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`;
  checker.report(`unknown-${noun}`, `There is no ${noun} "${name}".`, at, nearest === undefined ? known : `did you mean "${nearest}"?`);
}

function insteadOf(name: string, base: Type): string | undefined {
  if (/^(length|size|count|len)$/.test(name)) return "write size(…)";
  if (base.kind === "list") return "write xs[0] for one element, or xs.map(x, x.field) for all";
  if (base.kind === "timestamp") return "write string(…), or compare with timestamp(…) and duration(…)";
  return undefined;
}
