import type { Tree } from "./parse.ts";
import type { Range } from "./problem.ts";
import type { Scope } from "./scope.ts";
import type { Type } from "./type.ts";
import { notNull, present, view } from "./type-view.ts";

/** One check of one expression: hands trees to the function that knows them, and collects what is wrong. */
export interface Checker {
  /** The type of a node; everything that is wrong in it is reported. */
  check(tree: Tree, scope: Scope): Type;
  report(code: string, message: string, at: Range, hint?: string): void;
  /** What is written at a place, shortened for a message. */
  quote(at: Range): string;
  /** Takes down that `vars.NAME` or `secrets.NAME` was read. */
  collect(root: "vars" | "secrets", name: string): void;
}

/** Reports an operand that may be missing (and, unless allowed, null); gives its type without. */
export function solid(checker: Checker, type: Type, at: Range, nulls: "allowed" | "refused" = "refused"): Type {
  const seen = view(type);
  if (seen.optional) {
    checker.report("possibly-missing", `${checker.quote(at)} may be missing.`, at, "write coalesce(…, otherwise) or .orValue(otherwise)");
  }
  const there = present(type);
  if (nulls === "allowed" || !seen.nullable) return there;
  const message = `${checker.quote(at)} ${seen.base.kind === "null" ? "is" : "may be"} null.`;
  checker.report("possibly-null", message, at, "check it with != null first, or write coalesce(…, otherwise)");
  return notNull(there);
}

/** Whether values of the type can hold a timestamp or duration inside, where JSON has none. */
export function holdsTime(type: Type, seen: readonly Type[] = []): boolean {
  if (seen.includes(type) || seen.length > 50) return false;
  const { base } = view(type);
  const inner = [...seen, type];
  if (base.kind === "timestamp" || base.kind === "duration") return true;
  if (base.kind === "list") return holdsTime(base.element, inner);
  if (base.kind !== "object") return false;
  if (typeof base.rest !== "string" && holdsTime(base.rest, inner)) return true;
  return [...base.fields.values()].some((field) => holdsTime(field.type, inner));
}
