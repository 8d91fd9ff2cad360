import type { Bundle, CompiledStep } from "../compile/index.ts";
import { resolveModel } from "../compile/index.ts";
import { CommandError } from "./command-error.ts";

/** Names every secret that a local run of the flow needs and the environment lacks, before anything is sent. */
export function checkSecrets(bundle: Bundle, flow: string): void {
  const missing = new Map<string, string>();
  for (const name of usedProviders(bundle, flow)) {
    for (const secret of bundle.providers[name]?.secrets ?? []) if (!process.env[secret]) missing.set(secret, name);
  }
  if (missing.size === 0) return;
  const list = [...missing].map(([secret, provider]) => `${secret} (provider ${provider})`).join(", ");
  const one = missing.size === 1;
  throw new CommandError(
    `${flow} needs ${one ? "a secret" : "secrets"} that ${one ? "is" : "are"} not set: ${list}. Set ${one ? "the environment variable" : "environment variables"} of ${one ? "that name" : "those names"}, or swap the model with --model NAME=PROVIDER/MODEL.`,
    { code: "missing-secret", details: { secrets: [...missing.keys()] } },
  );
}

/**
 * Providers that a flow asks first, through its prompts and the flows it runs. Fallbacks are left out: one without its key is no reason to refuse,
 * the first may well answer.
 */
function usedProviders(bundle: Bundle, flow: string): Set<string> {
  const used = new Set<string>();
  const seen = new Set<string>();
  const visit = (name: string) => {
    const compiled = bundle.flows[name];
    if (!compiled || seen.has(name)) return;
    seen.add(name);
    if (compiled.kind === "task") used.add(resolveModel(bundle, "local", compiled.model).targets[0]!.provider);
    else for (const callee of calleesOf(compiled.steps)) visit(callee);
  };
  visit(flow);
  return used;
}

function calleesOf(steps: readonly CompiledStep[]): string[] {
  return steps.flatMap((step) => {
    if (step.kind === "parallel") return calleesOf(step.steps);
    const rescue = typeof step.onError === "object" ? [step.onError.run] : [];
    return step.kind === "run" ? [step.flow, ...rescue] : rescue;
  });
}
