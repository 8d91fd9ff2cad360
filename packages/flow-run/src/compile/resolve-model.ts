import { FlowRunError, suggest } from "@flow-run/spec";
import type { Bundle, CompiledModel } from "./bundle.ts";
import { DEFAULT_MODEL_RETRIES, DEFAULT_MODEL_TIMEOUT_MS, splitTarget } from "./compile-models.ts";

/**
 * The model behind a name in an environment: the environment's own, else the project's; or `PROVIDER/MODEL` written out, with default
 * conditions. An environment that the bundle does not know has nothing of its own. Throws FlowRunError `unknown-model`, `unknown-provider`.
 */
export function resolveModel(
  bundle: Pick<Bundle, "models" | "environments" | "providers">,
  environment: string,
  name: string,
): CompiledModel {
  const own = Object.hasOwn(bundle.environments, environment) ? bundle.environments[environment]!.models : {};
  if (Object.hasOwn(own, name)) return own[name]!;
  if (Object.hasOwn(bundle.models, name)) return bundle.models[name]!;
  if (!name.includes("/")) {
    const near = suggest(name, Object.keys(bundle.models));
    throw new FlowRunError(
      "unknown-model",
      `There is no model "${name}". ${near ? `Did you mean "${near}"?` : "Add it under models in flow-run.yaml."}`,
    );
  }
  const target = splitTarget(name);
  if (!Object.hasOwn(bundle.providers, target.provider)) {
    const near = suggest(target.provider, Object.keys(bundle.providers));
    const hint = near ? `Did you mean "${near}"?` : "Add it under providers in flow-run.yaml.";
    throw new FlowRunError("unknown-provider", `There is no provider "${target.provider}" for the model ${name}. ${hint}`);
  }
  return { targets: [target], timeoutMs: DEFAULT_MODEL_TIMEOUT_MS, retries: DEFAULT_MODEL_RETRIES, limits: {} };
}
