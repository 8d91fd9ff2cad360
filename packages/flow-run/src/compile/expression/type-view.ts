import type { Type } from "./type.ts";

/** A type without the wrappers around it. */
export interface TypeView {
  /** Never lazy, nullable or optional. */
  readonly base: Exclude<Type, { kind: "lazy" | "nullable" | "optional" }>;
  readonly nullable: boolean;
  readonly optional: boolean;
}

/** Looks through `optional`, `nullable` and `lazy`. */
export function view(type: Type): TypeView {
  let nullable = false;
  let optional = false;
  let current = type;
  // A schema that refers to itself and to nothing else never ends; it says nothing about its values.
  for (let steps = 0; steps < 100; steps++) {
    switch (current.kind) {
      case "lazy":
        current = current.resolve();
        break;
      case "nullable":
        nullable = true;
        current = current.inner;
        break;
      case "optional":
        optional = true;
        current = current.inner;
        break;
      case "null":
        return { base: current, nullable: true, optional };
      default:
        return { base: current, nullable, optional };
    }
  }
  return { base: { kind: "any" }, nullable, optional };
}

/** The type, or null. */
export function nullable(type: Type): Type {
  if (type.kind === "nullable" || type.kind === "null") return type;
  if (type.kind === "optional") return optional(nullable(type.inner));
  return { kind: "nullable", inner: type };
}

/** The type, or missing. */
export function optional(type: Type): Type {
  return type.kind === "optional" ? type : { kind: "optional", inner: type };
}

/** The type of the same values without missing. */
export function present(type: Type): Type {
  return type.kind === "optional" ? type.inner : type;
}

/** The type of the same values without null; keeps `optional`. `null` itself leaves nothing. */
export function notNull(type: Type): Type {
  switch (type.kind) {
    case "null":
      return { kind: "never" };
    case "nullable":
      return notNull(type.inner);
    case "optional":
      return optional(notNull(type.inner));
    case "lazy":
      return view(type).nullable ? notNull(type.resolve()) : type;
    default:
      return type;
  }
}
