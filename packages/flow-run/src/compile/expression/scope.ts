import type { Field, ObjectType, Type } from "./type.ts";
import { view } from "./type-view.ts";

/** What an expression can see, and what is known to hold where it stands. */
export interface Scope {
  readonly variables: ObjectType;
  /** Keys of conditions that hold here (see `conditionKeys`). */
  readonly known: ReadonlySet<string>;
  readonly guards: readonly Guard[];
}

/** The value at `path` is of this type as soon as all the conditions are known to hold. */
export interface Guard {
  readonly path: readonly string[];
  readonly conditions: readonly string[];
  readonly type: Type;
}

export function scopeOf(variables: ObjectType, guards: readonly Guard[] = []): Scope {
  return { variables, known: new Set(), guards };
}

/** The scope with one more variable. */
export function bind(scope: Scope, name: string, type: Type): Scope {
  const fields = new Map(scope.variables.fields).set(name, { type, optional: false });
  // Keys of conditions name variables; under another meaning of a name they would say something else.
  const guards = scope.variables.fields.has(name) ? [] : scope.guards;
  return { ...scope, variables: { ...scope.variables, fields }, guards };
}

/** The scope with the type at a path of field names changed, as far as the path is declared. */
export function refine(scope: Scope, path: readonly string[], change: (field: Field) => Field): Scope {
  const variables = refineType(scope.variables, path, change);
  return variables.kind === "object" ? { ...scope, variables } : scope;
}

function refineType(type: Type, path: readonly string[], change: (field: Field) => Field): Type {
  switch (type.kind) {
    case "nullable":
    case "optional":
      return { kind: type.kind, inner: refineType(type.inner, path, change) };
    case "lazy":
      return view(type).base.kind === "object" ? refineType(type.resolve(), path, change) : type;
    case "object":
      break;
    default:
      return type;
  }
  const [name, ...others] = path as [string, ...string[]];
  const field = type.fields.get(name) ?? (typeof type.rest === "string" ? undefined : { type: type.rest, optional: false });
  if (field === undefined) return type;
  const changed = others.length === 0 ? change(field) : { ...field, type: refineType(field.type, others, change) };
  return { ...type, fields: new Map(type.fields).set(name, changed) };
}

/** The scope with the guards applied whose conditions are known. */
export function applyGuards(scope: Scope): Scope {
  const open = scope.guards.filter((guard) => guard.conditions.every((condition) => scope.known.has(condition)));
  if (open.length === 0) return scope;
  let result: Scope = { ...scope, guards: scope.guards.filter((guard) => !open.includes(guard)) };
  for (const guard of open) {
    result = refine(result, guard.path, (field) => (view(field.type).nullable ? { ...field, type: guard.type } : field));
  }
  return result;
}
