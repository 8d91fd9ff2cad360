import { type Diagnostic, hasErrors, type JsonSchema, type ProjectSource, sortDiagnostics } from "@flow-run/spec";
import { type Bundle, type CompiledEnvironment, type CompiledFlow, type CompiledTask, LANGUAGE_VERSION } from "./bundle.ts";
import { compileModels, splitTarget } from "./compile-models.ts";
import { compileProviders } from "./compile-providers.ts";
import { hashed } from "./content-hash.ts";
import { environmentLimits } from "./environment-limits.ts";
import { environmentRetention } from "./environment-retention.ts";
import { checkOtherDefinitions, type FlowNames, flowNames } from "./flow-names.ts";
import { missingVariables } from "./missing-variables.ts";
import { compileTask } from "./prompt/compile-task.ts";
import { InputDefaults } from "./prompt/input-defaults.ts";
import { PromptPartials } from "./prompt/prompt-partials.ts";
import { toJsonSchema } from "./schema/index.ts";
import { compileWorkflows } from "./workflow/compile-workflows.ts";
import type { FlowSignature } from "./workflow/flow-signature.ts";

/** A flow before its hash is known. */
type UnhashedTask = Omit<CompiledTask, "hash">;

/**
 * Definitions → a frozen bundle and everything that is wrong with them, sorted by place. The bundle is null when there is an error, also
 * when a file could not be read; warnings leave it whole. Pure: the same source gives the same bundle, to the last bit of its hash.
 */
export function compileProject(source: ProjectSource): { bundle: Bundle | null; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const names = flowNames(source);
  const { models, environments, usedProviders, diagnostics: modelProblems } = compileModels(source);
  const { limits, diagnostics: limitProblems } = environmentLimits(source, names);
  diagnostics.push(...names.diagnostics, ...checkOtherDefinitions(source, names), ...modelProblems, ...limitProblems);
  const { retention, diagnostics: retentionProblems } = environmentRetention(source);
  diagnostics.push(...retentionProblems);

  const tasks = compileTasks(source, Object.keys(models), diagnostics);
  for (const { model } of tasks) if (model.includes("/")) usedProviders.add(splitTarget(model).provider);
  const { providers, complete, diagnostics: providerProblems } = compileProviders(source, usedProviders);
  diagnostics.push(...providerProblems);

  const compiled = compileWorkflows({ workflows: source.workflows, flows: signatures(tasks, source, names), toJsonSchema });
  diagnostics.push(...compiled.diagnostics, ...missingVariables(compiled.variables, source.project));

  const sorted = sortDiagnostics(diagnostics);
  // What could not be read has its diagnostics already, from whoever read the files.
  if (hasErrors(sorted) || !complete || source.broken.length > 0) return { bundle: null, diagnostics: sorted };
  const flows = [...tasks, ...compiled.workflows.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const bundle = hashed({
    languageVersion: LANGUAGE_VERSION,
    project: source.project.value.name,
    flows: Object.fromEntries(flows.map((flow) => [flow.name, { ...flow, hash: "" } as CompiledFlow])),
    providers,
    models,
    environments: Object.fromEntries(
      Object.entries(environments).map(([name, own]): [string, CompiledEnvironment] => [
        name,
        {
          ...own,
          ...(limits.has(name) ? { limits: limits.get(name)! } : {}),
          ...(retention.has(name) ? { retention: retention.get(name)! } : {}),
        },
      ]),
    ),
  });
  return { bundle, diagnostics: sorted };
}

function compileTasks(source: ProjectSource, models: readonly string[], diagnostics: Diagnostic[]): UnhashedTask[] {
  const broken = source.broken.filter(({ kind }) => kind === "partial").map(({ name }) => name);
  const partials = new PromptPartials(source.partials, new Set(broken));
  diagnostics.push(...partials.diagnostics);
  const surroundings = {
    models: new Set(models),
    providers: new Set(Object.keys(source.project.value.providers ?? {})),
    partials,
    defaults: new InputDefaults(),
  };
  return source.prompts.map((prompt) => {
    const { task, diagnostics: problems } = compileTask(prompt, surroundings);
    diagnostics.push(...problems);
    return task;
  });
}

/** What workflows know of the flows that are no workflows. Of one that could not be read, or cannot be run yet, they may expect anything. */
function signatures(tasks: readonly UnhashedTask[], { agents }: ProjectSource, { broken }: FlowNames): Map<string, FlowSignature> {
  const anything: FlowSignature = { output: true };
  const known = new Map<string, FlowSignature>([...broken, ...agents.map(({ name }) => name)].map((name) => [name, anything]));
  for (const { name, input, output } of tasks) {
    const schema: JsonSchema = output.format === "text" ? { type: "string" } : (output.schema ?? true);
    known.set(name, { ...(input === undefined ? {} : { input }), output: schema });
  }
  return known;
}
