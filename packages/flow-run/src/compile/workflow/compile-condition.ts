import { isScalar, isSeq, type Node } from "yaml";
import type { CompiledValue } from "../bundle.ts";
import { isNumeric } from "../expression/join-types.ts";
import type { Tree } from "../expression/parse.ts";
import type { Scope } from "../expression/scope.ts";
import { showType } from "../expression/show-type.ts";
import { anyType, type Type } from "../expression/type.ts";
import { view } from "../expression/type-view.ts";
import { compileTemplate } from "./compile-template.ts";
import { compileValue } from "./compile-value.ts";
import type { WorkflowContext } from "./workflow-context.ts";

export interface CompiledCondition {
  value: CompiledValue;
  /** Absent for `true`, `false` and for what does not parse. */
  tree?: Tree;
}

/** `if` and `until`: true, false, or exactly one expression that is a bool. */
export function compileCondition(node: Node | null, scope: Scope, context: WorkflowContext, owner: Node): CompiledCondition {
  if (isScalar(node) && typeof node.value === "boolean") return { value: { literal: node.value } };
  const sole = compileSole(node, scope, context, owner);
  if (sole === undefined) return { value: { literal: false } };
  const { base, nullable, optional } = view(sole.type);
  if (sole.sound && node) {
    if (optional) context.report.report("possibly-missing", "The condition may be missing.", node, "write .orValue(false)");
    if (nullable) context.report.report("possibly-null", "The condition may be null.", node, "write coalesce(…, false)");
    if (base.kind !== "bool" && base.kind !== "any" && base.kind !== "null" && base.kind !== "never") {
      const hint =
        base.kind === "string" ? "compare it, for example x != ''" : isNumeric(base.kind) ? "compare it, for example x > 0" : undefined;
      context.report.report("type-mismatch", `A bool is needed here, and this is ${showType(sole.type)}.`, node, hint);
    }
  }
  return { value: sole.value, ...(sole.tree === undefined ? {} : { tree: sole.tree }) };
}

export interface CompiledItems {
  value: CompiledValue;
  element: Type;
}

/** `forEach`: a list, or exactly one expression that is one. */
export function compileItems(node: Node | null, scope: Scope, context: WorkflowContext, owner: Node): CompiledItems {
  if (isSeq(node)) {
    const { value, type } = compileValue(node, anyType, scope, context, owner);
    return { value, element: type.kind === "list" ? type.element : anyType };
  }
  const sole = compileSole(node, scope, context, owner);
  if (sole === undefined) return { value: { literal: [] }, element: anyType };
  const { base, nullable, optional } = view(sole.type);
  if (sole.sound && node) {
    if (optional) context.report.report("possibly-missing", "The list may be missing.", node, "write .orValue([])");
    if (nullable) context.report.report("possibly-null", "The list may be null.", node, "write coalesce(…, [])");
    if (base.kind !== "list" && base.kind !== "any" && base.kind !== "null" && base.kind !== "never") {
      context.report.report("type-mismatch", `forEach needs a list, and this is ${showType(sole.type)}.`, node);
    }
  }
  return { value: sole.value, element: base.kind === "list" ? base.element : anyType };
}

function compileSole(
  node: Node | null,
  scope: Scope,
  context: WorkflowContext,
  owner: Node,
): { value: CompiledValue; type: Type; tree?: Tree; sound: boolean } | undefined {
  if (isScalar(node) && typeof node.value === "string") {
    const { value, type, sole, sound } = compileTemplate(node, scope, context);
    if (sole) return { value, type, sound, ...(sole.tree === undefined ? {} : { tree: sole.tree }) };
    // An expression that is not closed was reported already.
    if (!sound && !("parts" in value)) return undefined;
    const hint = "literal" in value ? `write \${{ ${node.value} }}` : "write one expression, with && or || inside it";
    context.report.report("not-an-expression", "Exactly one ${{ expression }} is needed here.", node, hint);
    return undefined;
  }
  context.report.report("not-an-expression", "Exactly one ${{ expression }} is needed here.", node ?? owner);
  return undefined;
}
