import { type Json, suggest } from "@flow-run/spec";
import { isMap, isScalar, isSeq, type Node } from "yaml";
import type { CompiledValue } from "../bundle.ts";
import { joinable, joinTypes } from "../expression/join-types.ts";
import { mismatches } from "../expression/mismatches.ts";
import type { Scope } from "../expression/scope.ts";
import { showType } from "../expression/show-type.ts";
import {
  anyType,
  boolType,
  type Field,
  integerType,
  neverType,
  nullType,
  numberType,
  type ObjectType,
  type Type,
} from "../expression/type.ts";
import { optional, view } from "../expression/type-view.ts";
import { compileTemplate } from "./compile-template.ts";
import type { WorkflowContext } from "./workflow-context.ts";

export interface TypedValue {
  value: CompiledValue;
  type: Type;
}

/**
 * Compiles a YAML value in which text may hold expressions, and checks it against the type that is wanted.
 * `owner` is where a missing field is reported: the key that the value belongs to.
 */
export function compileValue(node: Node | null, wanted: Type, scope: Scope, context: WorkflowContext, owner: Node): TypedValue {
  if (isMap(node)) return compileMap(node, wanted, scope, context, owner);
  if (isSeq(node)) return compileList(node, wanted, scope, context);
  if (isScalar(node) && typeof node.value === "string") {
    const { value, type, sound } = compileTemplate(node, scope, context);
    if (sound) checkFit(type, wanted, node, context);
    return { value, type: sound ? type : anyType };
  }
  const literal = (isScalar(node) ? node.value : null) as Json;
  const type = literalScalarType(literal);
  checkFit(type, wanted, node ?? owner, context);
  return { value: { literal }, type };
}

function literalScalarType(value: Json): Type {
  if (value === null) return nullType;
  if (typeof value === "boolean") return boolType;
  if (typeof value === "number") return Number.isInteger(value) ? integerType : numberType;
  return anyType;
}

function checkFit(type: Type, wanted: Type, at: Node, context: WorkflowContext): void {
  const reported = new Set<string>();
  for (const mismatch of mismatches(type, wanted)) {
    if (reported.has(mismatch.code + mismatch.path)) continue;
    reported.add(mismatch.code + mismatch.path);
    context.report.report(mismatch.code, mismatch.message, at, mismatch.hint);
  }
}

function compileList(node: Node, wanted: Type, scope: Scope, context: WorkflowContext): TypedValue {
  const { base } = view(wanted);
  const wantedElement = base.kind === "list" ? base.element : anyType;
  if (base.kind !== "list" && base.kind !== "any") checkFit({ kind: "list", element: neverType }, wanted, node, context);
  const values: CompiledValue[] = [];
  let element: Type = neverType;
  for (const item of context.report.items(node)) {
    const compiled = compileValue(item, wantedElement, scope, context, item ?? node);
    values.push(compiled.value);
    const type = widened(compiled.type);
    element = joinable(element, type) ? joinTypes(element, type) : anyType;
  }
  const literals = values.map(literalOf);
  const value: CompiledValue = literals.every((literal) => literal !== undefined)
    ? { literal: literals.map((literal) => literal.literal) }
    : { list: values };
  return { value, type: { kind: "list", element: element.kind === "optional" ? element.inner : element } };
}

function compileMap(node: Node, wanted: Type, scope: Scope, context: WorkflowContext, owner: Node): TypedValue {
  const { base } = view(wanted);
  const target = base.kind === "object" ? base : undefined;
  if (target === undefined && base.kind !== "any") {
    const message = `This is an object, where ${showType(wanted)} is needed.`;
    context.report.report("type-mismatch", message, node);
  }
  const fields = new Map<string, Field>();
  const values: [string, CompiledValue][] = [];
  const misspelt = new Set<string>();
  const entries = context.report.entries(node);
  for (const { name, key, value: child } of entries) {
    const field = target === undefined ? { type: anyType, optional: true } : fieldOf(target, name);
    if (field === undefined) {
      const free = [...target!.fields.keys()].filter((other) => !entries.some((entry) => entry.name === other));
      const nearest = suggest(name, free) ?? suggest(name, target!.fields.keys());
      if (nearest !== undefined) misspelt.add(nearest);
      const hint = nearest === undefined ? knownFields(target!) : `did you mean "${nearest}"?`;
      context.report.report("unknown-field", `There is no field "${name}" here.`, key, hint);
    }
    const wantedField = field === undefined ? optional(anyType) : field.optional ? optional(field.type) : field.type;
    const compiled = compileValue(child, wantedField, scope, context, key);
    values.push([name, compiled.value]);
    fields.set(name, {
      type: widened(compiled.type.kind === "optional" ? compiled.type.inner : compiled.type),
      optional: compiled.type.kind === "optional",
    });
  }
  for (const [name, field] of target?.fields ?? []) {
    if (field.optional || fields.has(name) || misspelt.has(name)) continue;
    context.report.report("missing-field", `The field "${name}" is missing.`, owner, `add ${name}: … (${showType(field.type)})`);
  }
  return { value: mapValue(values), type: { kind: "object", fields, rest: "closed" } };
}

function fieldOf(target: ObjectType, name: string): Field | undefined {
  return target.fields.get(name) ?? (typeof target.rest === "string" ? undefined : { type: target.rest, optional: true });
}

function knownFields(target: ObjectType): string {
  const names = [...target.fields.keys()];
  return names.length === 0 ? "there are no fields" : `there is ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`;
}

function mapValue(values: [string, CompiledValue][]): CompiledValue {
  const literals = values.map(([name, value]) => [name, literalOf(value)] as const);
  if (!literals.every(([, literal]) => literal !== undefined)) return { map: values };
  return { literal: Object.fromEntries(literals.map(([name, literal]) => [name, literal!.literal])) };
}

function literalOf(value: CompiledValue): { literal: Json } | undefined {
  return "literal" in value ? value : undefined;
}

/** A text written out is one value of many that may stand there tomorrow. */
function widened(type: Type): Type {
  return type.kind === "string" && type.values?.length === 1 ? { kind: "string" } : type;
}
