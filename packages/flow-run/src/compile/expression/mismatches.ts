import { suggest } from "@flow-run/spec";
import { isNumeric } from "./join-types.ts";
import { showType } from "./show-type.ts";
import type { ObjectType, Type } from "./type.ts";
import { view } from "./type-view.ts";

/** One reason why a value does not fit. */
export interface Mismatch {
  code: "type-mismatch" | "possibly-null" | "possibly-missing" | "missing-field" | "unknown-field";
  /** From the value's root: `facts[].answer`; empty for the value itself. */
  path: string;
  message: string;
  hint?: string;
}

/** Why values of `source` do not fit where `target` is expected; empty if they do. */
export function mismatches(source: Type, target: Type): Mismatch[] {
  const found: Mismatch[] = [];
  compare(source, target, "", found, []);
  return found;
}

type Pair = readonly [Type, Type];

function compare(source: Type, target: Type, path: string, found: Mismatch[], seen: readonly Pair[]): void {
  if (source === target || found.length >= 20) return;
  const [from, to] = [view(source), view(target)];
  const named = path === "" ? "This" : `"${path}"`;
  if (from.optional && !to.optional) {
    found.push({
      code: "possibly-missing",
      path,
      message: `${named} may be missing.`,
      hint: "write coalesce(…, otherwise) or .orValue(otherwise)",
    });
  }
  if (to.base.kind === "any") return;
  if (from.base.kind === "null") {
    if (!to.nullable) found.push({ code: "possibly-null", path, message: `${named} is null, where ${showType(target)} is needed.` });
    return;
  }
  if (from.nullable && !to.nullable) {
    found.push({
      code: "possibly-null",
      path,
      message: `${named} may be null, where ${showType(target)} is needed.`,
      hint: "check it with != null first, or write coalesce(…, otherwise)",
    });
  }
  if (from.base.kind === "any" || from.base.kind === "never") return;
  compareBases(from.base, to.base, path, found, seen);
}

function compareBases(source: Type, target: Type, path: string, found: Mismatch[], seen: readonly Pair[]): void {
  if (seen.length > 60 || seen.some(([left, right]) => left === source && right === target)) return;
  if (source.kind === "list" && target.kind === "list") {
    compare(source.element, target.element, `${path}[]`, found, [...seen, [source, target]]);
  } else if (source.kind === "object" && target.kind === "object") {
    compareObjects(source, target, path, found, [...seen, [source, target]]);
  } else if (source.kind === "string" && target.kind === "string") {
    compareTexts(source.values, target.values, path, found);
  } else if (source.kind !== target.kind && !(source.kind === "integer" && target.kind === "number")) {
    found.push({
      code: "type-mismatch",
      path,
      message: `${path === "" ? "This" : `"${path}"`} is ${showType(source)}, where ${showType(target)} is needed.`,
      ...conversion(source, target),
    });
  }
}

function conversion(source: Type, target: Type): { hint?: string } {
  if (target.kind === "string" && (isNumeric(source.kind) || source.kind === "bool")) return { hint: "write string(…)" };
  if (target.kind === "string" && (source.kind === "list" || source.kind === "object")) return { hint: "write toJson(…)" };
  if (target.kind === "integer" && source.kind === "number") return { hint: "write round(…) or int(…)" };
  if (isNumeric(target.kind) && source.kind === "string") return { hint: "leave the quotes away, or write int(…) or double(…)" };
  return {};
}

function compareTexts(source: readonly string[] | undefined, target: readonly string[] | undefined, path: string, found: Mismatch[]): void {
  if (target === undefined) return;
  const wrong = source?.find((value) => !target.includes(value));
  if (source !== undefined && wrong === undefined) return;
  const needed = showType({ kind: "string", values: target });
  const subject = path === "" ? "" : ` at "${path}"`;
  if (wrong === undefined) {
    found.push({ code: "type-mismatch", path, message: `Any string may stand here${subject}, where ${needed} is needed.` });
    return;
  }
  const nearest = suggest(wrong, target);
  found.push({
    code: "type-mismatch",
    path,
    message: `${JSON.stringify(wrong)}${subject} is not one of ${needed}.`,
    ...(nearest === undefined ? {} : { hint: `did you mean "${nearest}"?` }),
  });
}

function compareObjects(source: ObjectType, target: ObjectType, path: string, found: Mismatch[], seen: readonly Pair[]): void {
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  const misspelt = new Set<string>();
  for (const [name, field] of source.fields) {
    const wanted = target.fields.get(name);
    if (wanted !== undefined) {
      if (field.optional && !wanted.optional) {
        found.push({ code: "possibly-missing", path: at(name), message: `"${at(name)}" may be missing, and it is required.` });
      }
      compare(field.type, wanted.type, at(name), found, seen);
    } else if (typeof target.rest !== "string") {
      compare(field.type, target.rest, at(name), found, seen);
    } else if (source.fresh || target.rest === "closed") {
      const free = [...target.fields.keys()].filter((other) => !source.fields.has(other));
      const nearest = suggest(name, free);
      if (nearest !== undefined) misspelt.add(nearest);
      found.push({
        code: source.fresh ? "unknown-field" : "type-mismatch",
        path: at(name),
        message: `There is no field "${name}" in ${showType(target)}.`,
        ...(nearest === undefined ? {} : { hint: `did you mean "${nearest}"?` }),
      });
    }
  }
  for (const [name, wanted] of target.fields) {
    if (source.fields.has(name)) continue;
    // Keys of a map stay unchecked, their values do not.
    if (typeof source.rest !== "string") compare(source.rest, wanted.type, at(name), found, seen);
    else if (!wanted.optional && !misspelt.has(name)) {
      found.push({ code: "missing-field", path: at(name), message: `The field "${at(name)}" is missing.` });
    }
  }
  if (typeof source.rest !== "string" && typeof target.rest !== "string") compare(source.rest, target.rest, at("*"), found, seen);
}
