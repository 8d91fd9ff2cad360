import { FlowRunError, suggest } from "@flow-run/spec";
import type { Bundle, CompiledModel } from "./bundle.ts";
import { hashed } from "./content-hash.ts";
import { resolveModel } from "./resolve-model.ts";

/**
 * The bundle with models swapped in every environment, for one command: `{ fast: "claude/claude-haiku-4-5" }`. A target is `PROVIDER/MODEL`
 * or another model's name; timeout, retries and cache stay those of the name, unless another model is named. Hashes follow. Throws FlowRunError
 * `unknown-model` or `unknown-provider` for a name that does not exist.
 */
export function withModelOverrides(bundle: Bundle, overrides: { [name: string]: string }): Bundle {
  const models: { [name: string]: CompiledModel } = { ...bundle.models };
  for (const [name, target] of Object.entries(overrides)) {
    if (!Object.hasOwn(bundle.models, name)) {
      const near = suggest(name, Object.keys(bundle.models));
      const names = Object.keys(bundle.models).join(", ") || "none";
      throw new FlowRunError(
        "unknown-model",
        `There is no model "${name}" to swap. ${near ? `Did you mean "${near}"?` : `The project's models are: ${names}.`}`,
      );
    }
    const resolved = resolveModel({ ...bundle, environments: {} }, "", target);
    const { timeoutMs, retries, cacheMs } = bundle.models[name]!;
    const kept = { timeoutMs, retries, ...(cacheMs === undefined ? {} : { cacheMs }) };
    models[name] = Object.hasOwn(bundle.models, target) ? resolved : { ...resolved, ...kept };
  }
  const environments = Object.fromEntries(
    Object.entries(bundle.environments).map(([environment, own]) => {
      const kept = Object.entries(own.models).filter(([name]) => !Object.hasOwn(overrides, name));
      return [environment, { ...own, models: Object.fromEntries(kept) }];
    }),
  );
  return hashed({ ...bundle, models, environments });
}
