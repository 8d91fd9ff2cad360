import type { Bundle, CompiledStep } from "../compile/index.ts";
import { secretNames } from "../compile/index.ts";

/** Names of secrets that flows of a bundle will need in an environment and that are not there, sorted. Providers that no flow reaches need none. */
export function missingSecrets(bundle: Bundle, environment: string, secrets: (name: string) => string | undefined): string[] {
  const missing = new Set<string>();
  for (const provider of reachedProviders(bundle, environment)) {
    for (const name of bundle.providers[provider]?.secrets ?? []) if (!secrets(name)) missing.add(name);
  }
  for (const flow of Object.values(bundle.flows)) {
    if (flow.kind === "workflow") for (const name of namesIn(flow.steps)) if (!secrets(name)) missing.add(name);
  }
  return [...missing].sort();
}

/** Of http steps, the only ones that read secrets themselves. */
function namesIn(steps: readonly CompiledStep[]): string[] {
  return steps.flatMap((step) => {
    if (step.kind === "parallel") return namesIn(step.steps);
    return step.kind === "http" ? secretNames(step.url, step.headers, step.body) : [];
  });
}

function reachedProviders(bundle: Bundle, environment: string): Set<string> {
  const overrides = Object.hasOwn(bundle.environments, environment) ? bundle.environments[environment]!.models : {};
  const models = new Map([...Object.entries(bundle.models), ...Object.entries(overrides)]);
  const reached = new Set<string>();
  for (const flow of Object.values(bundle.flows)) {
    if (flow.kind !== "task") continue;
    const model = models.get(flow.model);
    if (model !== undefined) for (const target of model.targets) reached.add(target.provider);
    // A model written out as provider/model.
    else reached.add(flow.model.split("/", 1)[0]!);
  }
  return reached;
}
