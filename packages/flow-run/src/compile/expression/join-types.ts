import { anyType, type Field, numberType, type ObjectType, stringType, type Type } from "./type.ts";
import { nullable, optional, view } from "./type-view.ts";

/** The narrowest type that we can write down for values of either type; `any` for values of different kinds. Commutative. */
export function joinTypes(a: Type, b: Type): Type {
  return join(a, b, []);
}

export function joinAll(types: readonly Type[]): Type {
  return types.reduce(joinTypes, { kind: "never" });
}

/** Whether the types are of one kind, so that their join says something. Null and missing join with anything. */
export function joinable(a: Type, b: Type): boolean {
  const [left, right] = [view(a).base.kind, view(b).base.kind];
  if (left === right || left === "any" || right === "any") return true;
  if (left === "never" || right === "never" || left === "null" || right === "null") return true;
  return isNumeric(left) && isNumeric(right);
}

export function isNumeric(kind: Type["kind"]): boolean {
  return kind === "integer" || kind === "number";
}

type Pair = readonly [Type, Type];

function join(a: Type, b: Type, seen: readonly Pair[]): Type {
  if (a === b) return a;
  const [left, right] = [view(a), view(b)];
  let joined: Type;
  if (left.base === right.base) joined = left.base;
  else if (left.base.kind === "null" || left.base.kind === "never") joined = right.base;
  else if (right.base.kind === "null" || right.base.kind === "never") joined = left.base;
  else joined = joinBases(left.base, right.base, seen);
  if ((left.nullable || right.nullable) && joined.kind !== "null") joined = nullable(joined);
  return left.optional || right.optional ? optional(joined) : joined;
}

function joinBases(a: Type, b: Type, seen: readonly Pair[]): Type {
  if (a.kind === "string" && b.kind === "string") {
    if (a.values === undefined || b.values === undefined) return stringType;
    return { kind: "string", values: [...new Set([...a.values, ...b.values])].sort() };
  }
  if (isNumeric(a.kind) && isNumeric(b.kind)) return a.kind === b.kind ? a : numberType;
  if (a.kind === "list" && b.kind === "list") {
    if (isSeen(a, b, seen)) return anyType;
    return { kind: "list", element: join(a.element, b.element, [...seen, [a, b]]) };
  }
  if (a.kind === "object" && b.kind === "object") return isSeen(a, b, seen) ? anyType : joinObjects(a, b, [...seen, [a, b]]);
  return a.kind === b.kind ? a : anyType;
}

/** Types that hold themselves would be joined without end. */
function isSeen(a: Type, b: Type, seen: readonly Pair[]): boolean {
  return seen.length > 30 || seen.some(([left, right]) => left === a && right === b);
}

function joinObjects(a: ObjectType, b: ObjectType, seen: readonly Pair[]): ObjectType {
  const fields = new Map<string, Field>();
  for (const name of [...new Set([...a.fields.keys(), ...b.fields.keys()])].sort()) {
    const [left, right] = [fieldOf(a, name), fieldOf(b, name)];
    fields.set(name, {
      type: left === undefined ? right!.type : right === undefined ? left.type : join(left.type, right.type, seen),
      optional: left === undefined || right === undefined || left.optional || right.optional,
    });
  }
  return { kind: "object", fields, rest: joinRests(a.rest, b.rest, seen) };
}

/** A field that is not declared may be there only where other fields have a type. */
function fieldOf(type: ObjectType, name: string): Field | undefined {
  return type.fields.get(name) ?? (typeof type.rest === "string" ? undefined : { type: type.rest, optional: true });
}

function joinRests(a: ObjectType["rest"], b: ObjectType["rest"], seen: readonly Pair[]): ObjectType["rest"] {
  if (typeof a !== "string" && typeof b !== "string") return join(a, b, seen);
  if (typeof a !== "string") return a;
  if (typeof b !== "string") return b;
  return a === "undeclared" || b === "undeclared" ? "undeclared" : "closed";
}
