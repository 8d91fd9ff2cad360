import { type Checker, holdsTime, solid } from "./checker.ts";
import { joinable, joinTypes } from "./join-types.ts";
import type { Tree } from "./parse.ts";
import type { Scope } from "./scope.ts";
import { showType } from "./show-type.ts";
import { anyType, boolType, type Field, integerType, literalType, mapOf, neverType, nullType, numberType, type Type } from "./type.ts";
import { view } from "./type-view.ts";

export function checkLiteral(tree: Extract<Tree, { op: "value" }>, checker: Checker): Type {
  const value = tree.args;
  switch (typeof value) {
    case "string":
      return literalType(value);
    case "boolean":
      return boolType;
    case "number":
      return numberType;
    case "bigint":
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
        checker.report("number-too-big", "Whole numbers are exact up to 9007199254740991.", tree, "write it as text in quotes");
      }
      return integerType;
    default:
      if (value === null) return nullType;
      if (value instanceof Uint8Array) checker.report("not-json", "Bytes are not a JSON value.", tree, "leave the b away");
      else checker.report("syntax", "There is one kind of number.", tree, "leave the u away");
      return anyType;
  }
}

export function checkList(tree: Extract<Tree, { op: "list" }>, scope: Scope, checker: Checker): Type {
  let element: Type = neverType;
  for (const child of tree.args) {
    const type = checkPart(child, scope, checker);
    element = joinable(element, type) ? joinTypes(element, type) : anyType;
  }
  return { kind: "list", element };
}

export function checkMap(tree: Extract<Tree, { op: "map" }>, scope: Scope, checker: Checker): Type {
  const fields = new Map<string, Field>();
  let computed: Type | undefined;
  for (const [key, value] of tree.args) {
    const type = checkPart(value, scope, checker);
    if (key.op === "id") {
      checker.report("unquoted-key", "Keys are written in quotes.", key, `write {"${key.args}": …}`);
      fields.set(key.args, { type, optional: false });
    } else if (key.op === "value" && typeof key.args === "string") {
      if (fields.has(key.args)) checker.report("syntax", `The key "${key.args}" is there twice.`, key);
      fields.set(key.args, { type, optional: false });
    } else {
      const keyType = solid(checker, checker.check(key, scope), key);
      const { kind } = view(keyType).base;
      if (kind !== "string" && kind !== "any" && kind !== "never") {
        checker.report("type-mismatch", `A key is a string, not ${showType(keyType)}.`, key);
      }
      computed = computed === undefined ? type : joinTypes(computed, type);
    }
  }
  if (computed === undefined) return { kind: "object", fields, rest: "closed", fresh: true };
  // A computed key may be any of the written ones: then all fields have one type.
  return mapOf([...fields.values()].reduce((joined, field) => joinTypes(joined, field.type), computed));
}

/** An element or entry: JSON has no missing values and no times. */
function checkPart(tree: Tree, scope: Scope, checker: Checker): Type {
  const type = solid(checker, checker.check(tree, scope), tree, "allowed");
  if (holdsTime(type)) {
    checker.report("not-json", "JSON has no timestamps and durations.", tree, "write string(…) around it");
    return anyType;
  }
  return type;
}

/** What was written out in place is a value like any other once it is inside another. */
export function settled(type: Type): Type {
  return type.kind === "object" && type.fresh ? { ...type, fresh: false } : type;
}
