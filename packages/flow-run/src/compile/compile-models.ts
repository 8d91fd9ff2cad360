import { type Diagnostic, durationMs, type ModelDefinition, type ProjectSource } from "@flow-run/spec";
import type { CompiledEnvironment, CompiledModel } from "./bundle.ts";
import { diagnosticAt, nameHint } from "./diagnostic-at.ts";

export const DEFAULT_MODEL_TIMEOUT_MS = 60_000;
export const DEFAULT_MODEL_RETRIES = 2;

export interface CompiledModels {
  models: { [name: string]: CompiledModel };
  environments: { [name: string]: CompiledEnvironment };
  /** Names of all providers that a model, in whatever environment, is asked through. */
  usedProviders: Set<string>;
  diagnostics: Diagnostic[];
}

/**
 * The model table of a project and what environments change in it. An override takes over timeout, retries and cache of the model it replaces,
 * but not its fallback, limits, hedge and price: those belong to the target that is replaced.
 */
export function compileModels({ project, evals, broken }: ProjectSource): CompiledModels {
  const { source, value } = project;
  const providers = Object.keys(value.providers ?? {});
  const diagnostics: Diagnostic[] = [];
  const usedProviders = new Set<string>();

  const compile = (definition: ModelDefinition, path: (string | number)[], base?: CompiledModel): CompiledModel => {
    const long = typeof definition === "string" ? { use: definition } : definition;
    const written: [string, (string | number)[]][] = [[long.use, typeof definition === "string" ? path : [...path, "use"]]];
    for (const [index, target] of (long.fallback ?? []).entries()) written.push([target, [...path, "fallback", index]]);
    for (const [target, at] of written) {
      const { provider } = splitTarget(target);
      usedProviders.add(provider);
      if (providers.includes(provider)) continue;
      const hint = nameHint(provider, providers, `add it: providers: { ${provider}: { type: openai } }`);
      diagnostics.push(diagnosticAt({ source, path: at }, "error", "unknown-provider", `there is no provider "${provider}"`, hint));
    }
    return {
      targets: written.map(([target]) => splitTarget(target)),
      timeoutMs: long.timeout === undefined ? (base?.timeoutMs ?? DEFAULT_MODEL_TIMEOUT_MS) : durationMs(long.timeout),
      retries: long.retries ?? base?.retries ?? DEFAULT_MODEL_RETRIES,
      limits: long.limits ?? {},
      ...cacheOf(long.cache === undefined ? base?.cacheMs : durationMs(long.cache)),
      ...(long.hedge === undefined ? {} : { hedge: { afterMs: durationMs(long.hedge.after), max: long.hedge.max ?? 1 } }),
      ...(long.price === undefined ? {} : { price: long.price }),
    };
  };

  const models = Object.fromEntries(Object.entries(value.models ?? {}).map(([name, model]) => [name, compile(model, ["models", name])]));
  const evalNames = [...evals.map(({ name }) => name), ...broken.filter(({ kind }) => kind === "eval").map(({ name }) => name)];
  const environments: [string, CompiledEnvironment][] = [];
  for (const [name, environment] of Object.entries(value.environments ?? {})) {
    const path = ["environments", name];
    const own: [string, CompiledModel][] = [];
    for (const [model, definition] of Object.entries(environment.models ?? {})) {
      const base = Object.hasOwn(models, model) ? models[model] : undefined;
      own.push([model, compile(definition, [...path, "models", model], base)]);
      if (base !== undefined) continue;
      const hint = nameHint(model, Object.keys(models), `declare it under models, so that it exists in every environment`);
      diagnostics.push(
        diagnosticAt(
          { source, path: [...path, "models", model], at: "key" },
          "error",
          "unknown-model",
          `there is no model "${model}" that ${name} could override`,
          hint,
        ),
      );
    }
    for (const [index, gate] of (environment.gates ?? []).entries()) {
      if (evalNames.includes(gate)) continue;
      const hint = nameHint(gate, evalNames, `write evals/${gate}.yaml`);
      diagnostics.push(
        diagnosticAt({ source, path: [...path, "gates", index] }, "error", "unknown-eval", `there is no eval "${gate}"`, hint),
      );
    }
    environments.push([name, { models: Object.fromEntries(own), vars: { ...environment.vars } }]);
  }
  return { models, environments: Object.fromEntries(environments), usedProviders, diagnostics };
}

function cacheOf(cacheMs: number | undefined): { cacheMs?: number } {
  return cacheMs === undefined ? {} : { cacheMs };
}

/** `PROVIDER/MODEL`; the model's part may hold further slashes. */
export function splitTarget(target: string): { provider: string; model: string } {
  const slash = target.indexOf("/");
  return { provider: target.slice(0, slash), model: target.slice(slash + 1) };
}
