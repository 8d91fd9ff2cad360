import { type Definition, durationMs, type WorkflowDefinition } from "@flow-run/spec";
import { isScalar, type Node } from "yaml";
import type { CompiledStep, CompiledValue, CompiledWorkflow } from "../bundle.ts";
import { schemaType } from "../expression/schema-type.ts";
import { anyType, type Type } from "../expression/type.ts";
import { typeSchema } from "../expression/type-schema.ts";
import { compileSchedule } from "./compile-schedule.ts";
import { compileSequence } from "./compile-step.ts";
import { compileValue } from "./compile-value.ts";
import type { YamlEntry } from "./source-report.ts";
import { StepRegistry } from "./step-registry.ts";
import { StepKeys } from "./steps/step-keys.ts";
import type { WorkflowContext } from "./workflow-context.ts";

export interface CompiledWorkflowResult {
  workflow: Omit<CompiledWorkflow, "hash">;
  output: Type;
}

/** Compiles one workflow, its callees compiled as they are met. */
export function compileWorkflow(definition: Definition<WorkflowDefinition>, context: WorkflowContext): CompiledWorkflowResult {
  const { report } = context;
  const contents = report.source.document.contents as Node | null;
  const entries = new Map(report.entries(contents).map((entry) => [entry.name, entry]));
  const inputNode = entries.get("input")?.value;
  const input = inputNode ? context.schema(inputNode) : undefined;

  const steps = entries.get("steps");
  const nodes = report.items(steps?.value);
  const { lines, labels } = declaredIds(nodes, context);
  const registry = new StepRegistry(input === undefined ? anyType : schemaType(input, "read"), lines, labels);
  const results = compileSequence(nodes, { context, registry, enclosing: [], enclosingKeys: [], siblings: new Set() });

  const { value, type } = compileOutput(entries.get("output"), results.at(-1)?.step, registry, steps, context);
  const { description, limits } = definition.value;
  const schedule = compileSchedule(entries.get("schedule"), input, context);
  return {
    output: type,
    workflow: {
      kind: "workflow",
      name: definition.name,
      ...(description === undefined ? {} : { description }),
      file: report.source.file.path,
      ...(input === undefined ? {} : { input }),
      steps: results.map((result) => result.step),
      ...(value === undefined ? {} : { output: value }),
      outputSchema: typeSchema(type),
      limits: {
        ...(limits?.costUsd === undefined ? {} : { costNanoUsd: Math.round(limits.costUsd * 1e9) }),
        ...(limits?.duration === undefined ? {} : { durationMs: durationMs(limits.duration) }),
        ...(limits?.tokens === undefined ? {} : { tokens: limits.tokens }),
      },
      ...(schedule === undefined ? {} : { schedule }),
      ...(limits?.concurrency === undefined ? {} : { concurrency: limits.concurrency }),
    },
  };
}

function compileOutput(
  output: YamlEntry | undefined,
  last: CompiledStep | undefined,
  registry: StepRegistry,
  steps: YamlEntry | undefined,
  context: WorkflowContext,
): { value?: CompiledValue; type: Type } {
  if (output) return compileValue(output.value, anyType, registry.scope({}), context, output.key);
  if (last === undefined) return { type: anyType };
  if (last.kind === "parallel") {
    const message = "A workflow that ends with a parallel block has no single last step.";
    context.report.report("missing-field", message, steps!.key, "add output: … beside steps");
    return { type: anyType };
  }
  return { type: registry.outputOf(last.id) };
}

/** All step ids with their lines; reports ids that are there twice. */
function declaredIds(nodes: readonly (Node | null)[], context: WorkflowContext): { lines: Map<string, number>; labels: Set<string> } {
  const lines = new Map<string, number>();
  const labels = new Set<string>();
  const visit = (node: Node | null): void => {
    if (node === null) return;
    const keys = new StepKeys(node, context.report);
    const id = keys.value("id");
    if (isScalar(id) && id.value !== null) {
      const name = String(id.value);
      const { line } = context.report.placeOfNode(id);
      const known = lines.get(name);
      if (known === undefined) lines.set(name, line);
      else context.report.report("duplicate-step", `There is a step "${name}" already (line ${known}).`, id, "give it another id");
      if (keys.has("parallel")) labels.add(name);
    }
    context.report.items(keys.value("parallel")).forEach(visit);
  };
  nodes.forEach(visit);
  return { lines, labels };
}
