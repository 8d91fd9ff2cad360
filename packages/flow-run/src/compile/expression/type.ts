/** What the compiler knows about a value. Structural: two types are the same when they describe the same values. */
export type Type =
  | { readonly kind: "any" | "never" | "null" | "bool" | "integer" | "number" | "timestamp" | "duration" }
  /** With `values`: one of these texts. */
  | { readonly kind: "string"; readonly values?: readonly string[] }
  | { readonly kind: "list"; readonly element: Type }
  | ObjectType
  /** May also be null. */
  | { readonly kind: "nullable"; readonly inner: Type }
  /** May also be missing: the result of `.?field`. Outside of every other type. */
  | { readonly kind: "optional"; readonly inner: Type }
  /** Stands for a type that is worked out when it is needed, so that types can hold themselves. */
  | { readonly kind: "lazy"; readonly resolve: () => Type };

export interface ObjectType {
  readonly kind: "object";
  readonly fields: ReadonlyMap<string, Field>;
  /** Fields that are not declared: of this type; `closed`: there are none; `undeclared`: there may be some, but nobody reads or writes them. */
  readonly rest: Type | "closed" | "undeclared";
  /** Written out in place, so that a field too many is a mistake. */
  readonly fresh?: boolean;
  /** Names that cannot be read here, with the reason. */
  readonly absent?: ReadonlyMap<string, string>;
  /** What a name in this object is called in messages. Default: field. */
  readonly noun?: "variable" | "step";
  /** Names read from this object are collected; it can only be read name by name. */
  readonly collected?: "vars" | "secrets";
}

export interface Field {
  readonly type: Type;
  /** May be left out. */
  readonly optional: boolean;
}

export const anyType: Type = { kind: "any" };
export const neverType: Type = { kind: "never" };
export const nullType: Type = { kind: "null" };
export const boolType: Type = { kind: "bool" };
export const integerType: Type = { kind: "integer" };
export const numberType: Type = { kind: "number" };
export const stringType: Type = { kind: "string" };
export const timestampType: Type = { kind: "timestamp" };
export const durationType: Type = { kind: "duration" };

export function literalType(...values: string[]): Type {
  return { kind: "string", values };
}

export function listOf(element: Type): Type {
  return { kind: "list", element };
}

export function mapOf(value: Type): Type {
  return { kind: "object", fields: new Map(), rest: value };
}
