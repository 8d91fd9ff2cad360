import { isScalar } from "yaml";
import type { CompiledRunStep, CompiledValue } from "../../bundle.ts";
import { mismatches } from "../../expression/mismatches.ts";
import type { Type } from "../../expression/type.ts";
import { compileValue } from "../compile-value.ts";
import type { YamlEntry } from "../source-report.ts";
import type { WorkflowContext } from "../workflow-context.ts";
import type { ActionScope, CompiledAction } from "./step-environment.ts";

/** `run: NAME` with `with: …`: a call, checked against the input of the flow that is called. */
export function compileRun(
  run: YamlEntry,
  input: YamlEntry | undefined,
  { scope, context }: ActionScope,
): CompiledAction<Pick<CompiledRunStep, "kind" | "flow" | "with">> {
  const flow = isScalar(run.value) ? String(run.value.value) : "";
  const types = context.flow(flow, run.value ?? run.key);
  let value: CompiledValue = { literal: {} };
  if (input) value = compileValue(input.value, types.input, scope, context, input.key).value;
  else checkNoInput(types.input, run, context);
  return { fields: { kind: "run", flow, with: value }, output: types.output };
}

function checkNoInput(wanted: Type, run: YamlEntry, context: WorkflowContext): void {
  const nothing: Type = { kind: "object", fields: new Map(), rest: "closed" };
  for (const mismatch of mismatches(nothing, wanted)) {
    context.report.report(mismatch.code, mismatch.message, run.key, "add with: { … }");
  }
}
