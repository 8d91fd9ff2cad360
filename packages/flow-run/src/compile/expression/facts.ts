import type { Tree } from "./parse.ts";
import { applyGuards, refine, type Scope } from "./scope.ts";
import type { Field, Type } from "./type.ts";
import { notNull, view, present as withoutMissing } from "./type-view.ts";

/** The scope where `tree` is known to be true (or false). */
export function assume(scope: Scope, tree: Tree, truth = true): Scope {
  const narrowed = narrow(scope, tree, truth);
  return applyGuards({ ...narrowed, known: new Set([...narrowed.known, ...conditionKeys(tree, truth)]) });
}

/** Keys of the conditions that all hold when `tree` is true (or false); equal keys mean equal conditions, however they are written. */
export function conditionKeys(tree: Tree, truth = true): string[] {
  if (tree.op === "!_") return conditionKeys(tree.args, !truth);
  if (tree.op === (truth ? "&&" : "||")) return tree.args.flatMap((side) => conditionKeys(side, truth));
  const differs = tree.op === "!=";
  return [`${truth === differs ? "!" : ""}${treeKey(tree, differs ? "==" : tree.op)}`];
}

/** A text that is the same for the same tree. */
function treeKey(tree: Tree, op: string = tree.op): string {
  const write = (value: unknown): string => {
    if (typeof value === "bigint") return `${value}n`;
    if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
    if (typeof value === "object" && value !== null && "op" in value) return treeKey(value as Tree);
    return JSON.stringify(value) ?? "";
  };
  return `(${op} ${write(tree.args)})`;
}

/** The names from a variable to a field: `input.tone`, `input["tone"]` and `input.?tone` are one path. */
function pathOf(tree: Tree): string[] | undefined {
  switch (tree.op) {
    case "id":
      return [tree.args];
    case ".":
    case ".?":
      return extend(pathOf(tree.args[0]), tree.args[1]);
    case "[]":
    case "[?]":
      return extend(pathOf(tree.args[0]), textOf(tree.args[1]));
    default:
      return undefined;
  }
}

function extend(path: string[] | undefined, name: string | undefined): string[] | undefined {
  return path === undefined || name === undefined ? undefined : [...path, name];
}

function textOf(tree: Tree): string | undefined {
  return tree.op === "value" && typeof tree.args === "string" ? tree.args : undefined;
}

function narrow(scope: Scope, tree: Tree, truth: boolean): Scope {
  switch (tree.op) {
    case "!_":
      return assume(scope, tree.args, !truth);
    case "&&":
      return truth ? assume(assume(scope, tree.args[0]), tree.args[1]) : scope;
    case "||":
      return truth ? scope : assume(assume(scope, tree.args[0], false), tree.args[1], false);
    case "==":
    case "!=":
      return narrowEqual(scope, tree.args, (tree.op === "==") === truth);
    case "in":
      return truth ? narrowIn(scope, tree.args) : scope;
    case "call":
      return truth && tree.args[0] === "has" ? present(scope, tree.args[1][0]) : scope;
    case "rcall":
      return truth && tree.args[0] === "hasValue" ? present(scope, tree.args[1]) : scope;
    default:
      return scope;
  }
}

function narrowEqual(scope: Scope, [left, right]: readonly [Tree, Tree], equal: boolean): Scope {
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const path = pathOf(side);
    if (path === undefined || other.op !== "value") continue;
    if (other.args === null) return equal ? scope : refine(scope, path, (field) => ({ ...field, type: notNull(field.type) }));
    const text = textOf(other);
    if (text === undefined) return equal ? refine(scope, path, (field) => ({ ...field, type: notNull(field.type) })) : scope;
    return refine(scope, path, (field) => narrowText(field, equal, [text]));
  }
  return scope;
}

function narrowIn(scope: Scope, [left, right]: readonly [Tree, Tree]): Scope {
  const path = pathOf(left);
  if (path !== undefined && right.op === "list") {
    const texts = right.args.map(textOf).filter((text) => text !== undefined);
    if (texts.length === right.args.length) return refine(scope, path, (field) => narrowText(field, true, texts));
  }
  const [key, object] = [textOf(left), pathOf(right)];
  return key === undefined || object === undefined ? scope : refine(scope, [...object, key], there);
}

function narrowText(field: Field, equal: boolean, texts: readonly string[]): Field {
  const { base, nullable } = view(field.type);
  if (base.kind !== "string") return equal ? { ...field, type: notNull(field.type) } : field;
  if (equal) return { ...field, type: { kind: "string", values: base.values?.filter((value) => texts.includes(value)) ?? texts } };
  if (base.values === undefined) return field;
  const type: Type = { kind: "string", values: base.values.filter((value) => !texts.includes(value)) };
  return { ...field, type: nullable ? { kind: "nullable", inner: type } : type };
}

function there(field: Field): Field {
  return { type: withoutMissing(field.type), optional: false };
}

/** The path is there, and so is everything on the way to it. */
function present(scope: Scope, tree: Tree | undefined): Scope {
  const path = tree === undefined ? undefined : pathOf(tree);
  if (path === undefined) return scope;
  let result = refine(scope, path, there);
  for (let length = path.length - 1; length > 1; length--) {
    result = refine(result, path.slice(0, length), (field) => ({ type: notNull(field.type), optional: false }));
  }
  return path.length > 1 ? refine(result, path.slice(0, 1), (field) => ({ ...field, type: notNull(field.type) })) : result;
}
