import type { ObjectType, Type } from "./type.ts";

/** A type as authors read it: `list<string>`, `"a" | "b" | null`, `{ id: string, note?: string }`. */
export function showType(type: Type): string {
  return show(type, 0, []);
}

function show(type: Type, depth: number, seen: readonly Type[]): string {
  switch (type.kind) {
    case "string":
      if (type.values === undefined) return "string";
      if (type.values.length > 6) return `${type.values.slice(0, 6).map(quote).join(" | ")} | …`;
      return type.values.map(quote).join(" | ");
    case "list":
      return `list<${show(type.element, depth + 1, seen)}>`;
    case "nullable":
      return `${show(type.inner, depth, seen)} | null`;
    case "optional":
      return `optional<${show(type.inner, depth, seen)}>`;
    case "lazy":
      return seen.includes(type) ? "…" : show(type.resolve(), depth, [...seen, type]);
    case "object":
      return showObject(type, depth, seen);
    default:
      return type.kind;
  }
}

function showObject(type: ObjectType, depth: number, seen: readonly Type[]): string {
  const rest = typeof type.rest === "string" ? undefined : show(type.rest, depth + 1, seen);
  if (type.fields.size === 0 && rest !== undefined) return `map<${rest}>`;
  if (depth > 2) return "{ … }";
  const shown = [...type.fields].slice(0, 8).map(([name, field]) => {
    return `${name}${field.optional ? "?" : ""}: ${show(field.type, depth + 1, seen)}`;
  });
  if (type.fields.size > 8) shown.push("…");
  if (rest !== undefined) shown.push(`*: ${rest}`);
  return shown.length === 0 ? "{}" : `{ ${shown.join(", ")} }`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}
