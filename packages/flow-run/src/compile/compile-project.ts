import { type Diagnostic, hasErrors, type ProjectSource, sortDiagnostics } from "@flow-run/spec";
import { type Bundle, type CompiledFlow, LANGUAGE_VERSION } from "./bundle.ts";
import { compileModels, splitTarget } from "./compile-models.ts";
import { compileProviders } from "./compile-providers.ts";
import { hashed } from "./content-hash.ts";
import { checkOtherDefinitions, flowNames } from "./flow-names.ts";
import { compileTask } from "./prompt/compile-task.ts";
import { InputDefaults } from "./prompt/input-defaults.ts";
import { PromptPartials } from "./prompt/prompt-partials.ts";

/**
 * Definitions → a frozen bundle and everything that is wrong with them, sorted by place. The bundle is null when there is an error; warnings
 * leave it whole. Pure: the same source gives the same bundle, to the last bit of its hash.
 */
export function compileProject(source: ProjectSource): { bundle: Bundle | null; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const names = flowNames(source);
  const { models, environments, usedProviders, diagnostics: modelProblems } = compileModels(source);
  const partials = new PromptPartials(source.partials);
  diagnostics.push(...names.diagnostics, ...checkOtherDefinitions(source, names), ...modelProblems, ...partials.diagnostics);

  const flows = new Map<string, CompiledFlow>();
  const surroundings = {
    models: new Set(Object.keys(models)),
    providers: new Set(Object.keys(source.project.value.providers ?? {})),
    partials,
    defaults: new InputDefaults(),
  };
  for (const prompt of source.prompts) {
    const { task, diagnostics: problems } = compileTask(prompt, surroundings);
    diagnostics.push(...problems);
    if (!flows.has(task.name)) flows.set(task.name, { ...task, hash: "" });
    if (task.model.includes("/")) usedProviders.add(splitTarget(task.model).provider);
  }
  const { providers, diagnostics: providerProblems } = compileProviders(source, usedProviders);
  diagnostics.push(...providerProblems);

  const sorted = sortDiagnostics(diagnostics);
  if (hasErrors(sorted)) return { bundle: null, diagnostics: sorted };
  const bundle = hashed({
    languageVersion: LANGUAGE_VERSION,
    project: source.project.value.name,
    flows: Object.fromEntries([...flows].sort(([a], [b]) => (a < b ? -1 : 1))),
    providers,
    models,
    environments,
  });
  return { bundle, diagnostics: sorted };
}
