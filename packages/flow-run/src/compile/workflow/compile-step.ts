import { durationMs } from "@flow-run/spec";
import { isScalar, type Node } from "yaml";
import type { CompiledStep, CompiledStepBase } from "../bundle.ts";
import { conditionKeys } from "../expression/facts.ts";
import { joinTypes } from "../expression/join-types.ts";
import { anyType, listOf, type Type } from "../expression/type.ts";
import { nullable } from "../expression/type-view.ts";
import { type CompiledCondition, compileCondition, compileItems } from "./compile-condition.ts";
import { checkElementName } from "./element-name.ts";
import type { FinishedStep, Standpoint } from "./step-registry.ts";
import { compileHttp } from "./steps/http-step.ts";
import { compileParallel } from "./steps/parallel-step.ts";
import { compileRun } from "./steps/run-step.ts";
import { compileSet } from "./steps/set-step.ts";
import type { CompiledAction, CompiledStepResult, StepEnvironment } from "./steps/step-environment.ts";
import { type Action, actionOf, StepKeys } from "./steps/step-keys.ts";
import { compileWait } from "./steps/wait-step.ts";

type ActionFields =
  | ReturnType<typeof compileRun>["fields"]
  | ReturnType<typeof compileHttp>["fields"]
  | ReturnType<typeof compileSet>["fields"]
  | ReturnType<typeof compileWait>["fields"];

const DEFAULT_CONCURRENCY = 10;

/** Compiles steps that run one after the other, each seeing those before it. */
export function compileSequence(nodes: readonly (Node | null)[], environment: StepEnvironment): CompiledStepResult[] {
  const results: CompiledStepResult[] = [];
  for (const node of nodes) {
    const result = node === null ? undefined : compileStep(node, environment);
    if (result === undefined) continue;
    for (const finished of result.finished) environment.registry.finish(finished);
    results.push(result);
  }
  return results;
}

/** Compiles the steps of a parallel block: none sees another. */
function compileSiblings(nodes: readonly (Node | null)[], environment: StepEnvironment): CompiledStepResult[] {
  const inner = { ...environment, siblings: new Set([...environment.siblings, ...idsIn(nodes, environment)]) };
  return nodes.flatMap((node) => (node === null ? [] : (compileStep(node, inner) ?? [])));
}

/** Ids of steps, those of blocks within included. */
function idsIn(nodes: readonly (Node | null)[], environment: StepEnvironment): string[] {
  const { report } = environment.context;
  return nodes.flatMap((node) => {
    if (node === null) return [];
    const keys = new StepKeys(node, report);
    const id = idOf(keys);
    return [...(id === undefined ? [] : [id]), ...idsIn(report.items(keys.value("parallel")), environment)];
  });
}

function idOf(keys: StepKeys): string | undefined {
  const node = keys.value("id");
  return isScalar(node) && node.value !== null ? String(node.value) : undefined;
}

function compileStep(node: Node, environment: StepEnvironment): CompiledStepResult | undefined {
  const { context } = environment;
  const keys = new StepKeys(node, context.report);
  const action = actionOf(keys, context.report);
  if (action === "parallel") return compileParallel(keys, environment, compileSiblings);
  const id = idOf(keys);
  if (id === undefined) {
    context.report.report("missing-field", "A step needs an id.", keys.head, "add id: NAME; later steps read steps.NAME.output");
  }
  if (action === undefined)
    return id === undefined ? undefined : { step: nothing(id, keys, environment), finished: [{ id, output: anyType }] };
  return compileAction(action, id ?? "", keys, environment);
}

/** Stands for a step without an action, so that the steps after it can be checked. */
function nothing(id: string, keys: StepKeys, environment: StepEnvironment): CompiledStep {
  return { id, at: environment.context.report.placeOfNode(keys.head), kind: "set", set: { literal: {} }, retries: 0, onError: "fail" };
}

function compileAction(action: Exclude<Action, "parallel">, id: string, keys: StepKeys, environment: StepEnvironment): CompiledStepResult {
  const { context, registry, enclosing, siblings } = environment;
  const ifEntry = keys.get("if");
  const forEachEntry = keys.get("forEach");
  const at: Standpoint = { self: id, siblings, assumed: enclosing };
  const before = forEachEntry
    ? { ...at, itemReason: `does not exist here yet: "if" and "forEach" are evaluated before there are elements.` }
    : at;

  const condition = ifEntry && compileCondition(ifEntry.value, registry.scope(before), context, ifEntry.key);
  const assumed = condition?.tree === undefined ? enclosing : [...enclosing, condition.tree];

  const items = forEachEntry && compileItems(forEachEntry.value, registry.scope({ ...before, assumed }), context, forEachEntry.key);
  const as = keys.has("as") ? checkElementName(keys.get("as")!, context) : "item";
  const inside: Standpoint = { ...at, assumed, ...(items ? { forEach: { as, element: items.element } } : {}) };

  const compiled = compileFields(action, keys, environment, inside);
  const repeat = compileRepeat(keys, environment, { ...inside, ownOutput: compiled.output });
  const onError = compileOnError(keys, environment, inside);

  let output = compiled.output;
  if (onError.type !== undefined) output = joinTypes(output, onError.type);
  if (onError.value === "continue") output = nullable(output);
  if (items) output = listOf(output);
  const timeout = keys.value("timeout");
  const retries = keys.value("retries");
  const base: CompiledStepBase = {
    id,
    at: context.report.placeOfNode(keys.head),
    ...(condition === undefined ? {} : { if: condition.value }),
    ...(items === undefined
      ? {}
      : { forEach: { items: items.value, as, concurrency: numberIn(keys, "concurrency", DEFAULT_CONCURRENCY) } }),
    ...(repeat === undefined ? {} : { repeat }),
    ...(isScalar(timeout) ? { timeoutMs: durationMs(String(timeout.value)) } : {}),
    retries: isScalar(retries) ? Number(retries.value) : 0,
    onError: onError.value,
  };
  return { step: { ...base, ...compiled.fields }, finished: id === "" ? [] : [finish(id, output, condition, environment)] };
}

function numberIn(keys: StepKeys, name: string, otherwise: number): number {
  const node = keys.value(name);
  return isScalar(node) && typeof node.value === "number" ? node.value : otherwise;
}

/** What later steps see: null where the step, or a block around it, may be skipped. */
function finish(id: string, output: Type, condition: CompiledCondition | undefined, environment: StepEnvironment): FinishedStep {
  const own = ownKeys(condition);
  const conditions = [...environment.enclosingKeys, ...own];
  return conditions.length === 0 ? { id, output } : { id, output: nullable(output), guard: { conditions, output } };
}

function ownKeys(condition: CompiledCondition | undefined): string[] {
  if (condition === undefined || ("literal" in condition.value && condition.value.literal === true)) return [];
  return condition.tree === undefined ? ["?"] : conditionKeys(condition.tree);
}

function compileFields(
  action: Exclude<Action, "parallel">,
  keys: StepKeys,
  { context, registry }: StepEnvironment,
  inside: Standpoint,
): CompiledAction<ActionFields> {
  const compile = (own: Standpoint): CompiledAction<ActionFields> => {
    const scope = registry.scope(own);
    const entry = keys.get(action)!;
    switch (action) {
      case "run":
        return compileRun(entry, keys.get("with"), { scope, withSecrets: scope, context });
      case "set":
        return compileSet(entry, { scope, withSecrets: scope, context });
      case "http":
        return compileHttp(entry, { scope, withSecrets: registry.scope({ ...own, secrets: true }), context });
      case "wait":
        return compileWait(entry, context);
    }
  };
  if (!keys.has("repeat")) return compile(inside);
  // A repeated step sees its own last output, so that its type must be known first; in the first turn it is null.
  const { output } = context.report.silently(() => compile({ ...inside, ownOutput: nullable(anyType) }));
  return compile({ ...inside, ownOutput: nullable(output) });
}

function compileRepeat(keys: StepKeys, { context, registry }: StepEnvironment, at: Standpoint): CompiledStepBase["repeat"] {
  const entry = keys.get("repeat");
  if (entry === undefined) return undefined;
  const inner = new StepKeys(entry.value ?? keys.node, context.report);
  const until = inner.get("until");
  const { value } = compileCondition(until?.value ?? null, registry.scope(at), context, until?.key ?? entry.key);
  const exhausted = inner.value("exhausted");
  return {
    until: value,
    max: numberIn(inner, "max", 1),
    exhausted: isScalar(exhausted) && exhausted.value === "fail" ? "fail" : "last",
  };
}

function compileOnError(
  keys: StepKeys,
  { context, registry }: StepEnvironment,
  at: Standpoint,
): { value: CompiledStepBase["onError"]; type?: Type } {
  const entry = keys.get("onError");
  if (entry === undefined) return { value: "fail" };
  if (isScalar(entry.value)) return { value: entry.value.value === "continue" ? "continue" : "fail" };
  const inner = new StepKeys(entry.value ?? keys.node, context.report);
  const run = inner.get("run");
  if (run === undefined) return { value: "fail" };
  const scope = registry.scope(at);
  const { fields, output } = compileRun(run, inner.get("with"), { scope, withSecrets: scope, context });
  return { value: { run: fields.flow, with: fields.with }, type: output };
}
