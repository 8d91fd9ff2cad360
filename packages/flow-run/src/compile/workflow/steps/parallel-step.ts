import type { Node } from "yaml";
import { conditionKeys } from "../../expression/facts.ts";
import { compileCondition } from "../compile-condition.ts";
import type { CompiledStepResult, CompileSteps, StepEnvironment } from "./step-environment.ts";
import type { StepKeys } from "./step-keys.ts";

/** `parallel: [ … ]`: steps that run at the same time; what is written after the block reads them. */
export function compileParallel(keys: StepKeys, environment: StepEnvironment, compileSteps: CompileSteps): CompiledStepResult {
  const { context, registry, enclosing, enclosingKeys, siblings } = environment;
  const condition = keys.get("if");
  const compiled = condition && compileCondition(condition.value, registry.scope({ assumed: enclosing, siblings }), context, condition.key);
  const always = compiled === undefined || ("literal" in compiled.value && compiled.value.literal === true);
  const tree = compiled?.tree;
  const children: readonly (Node | null)[] = context.report.items(keys.value("parallel"));
  const results = compileSteps(children, {
    context,
    registry,
    enclosing: tree === undefined ? enclosing : [...enclosing, tree],
    // Of a condition that does not parse nobody can know whether it holds.
    enclosingKeys: always ? enclosingKeys : [...enclosingKeys, ...(tree === undefined ? ["?"] : conditionKeys(tree))],
    siblings,
  });
  return {
    step: {
      kind: "parallel",
      at: context.report.placeOfNode(keys.head),
      ...(compiled === undefined ? {} : { if: compiled.value }),
      steps: results.map((result) => result.step),
    },
    finished: results.flatMap((result) => result.finished),
  };
}
