import type { Attempt, CallCost, Run, RunCosts, Step } from "@flow-run/spec";
import type { Bundle } from "../compile/index.ts";
import { type PriceOverride, priceOf } from "../model/index.ts";

/** How the cost of a run comes about, call by call. `bundle`: its release, null when that is gone. */
export function explainCosts(run: Run, steps: readonly Step[], bundle: Bundle | null): RunCosts {
  const calls = steps
    .flatMap((step) => step.attempts.map((attempt) => callCost(step.path, attempt, bundle, run.environment)))
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : a.number - b.number));
  const nanoUsd = calls.reduce((sum, call) => sum + toNano(call.costUsd ?? 0), 0);
  return {
    run: run.id,
    flow: run.flow,
    release: run.release,
    costUsd: run.costUsd,
    pricedCostUsd: nanoUsd / 1e9,
    unpricedCalls: run.unpricedCalls,
    calls,
  };
}

function callCost(step: string, attempt: Attempt, bundle: Bundle | null, environment: string): CallCost {
  const { id, number, status, provider, model, usage, priceVersion, costUsd, startedAt, cached } = attempt;
  return {
    step,
    id,
    number,
    status,
    provider,
    model,
    cached,
    startedAt,
    usage,
    priceVersion,
    costUsd,
    lines: bundle === null ? null : linesOf(attempt, bundle, environment),
  };
}

/** Prices the call again, with the catalog of this program and with every price that the release has for the target; what gives the version and the sum that were booked explains them. */
function linesOf(attempt: Attempt, bundle: Bundle, environment: string): CallCost["lines"] {
  const { provider, model, usage, rawUsage, priceVersion, costUsd, startedAt } = attempt;
  if (costUsd === null || usage === null) return null;
  const settings = Object.hasOwn(bundle.providers, provider) ? bundle.providers[provider]! : null;
  if (settings === null) return null;
  for (const override of [undefined, ...overridesFor(bundle, environment, provider, model)]) {
    const { baseUrl } = settings.settings;
    const priced = priceOf({
      provider,
      providerType: settings.type,
      ...(typeof baseUrl === "string" ? { baseUrl } : {}),
      model,
      usage,
      rawUsage,
      atMs: Date.parse(startedAt),
      ...(override === undefined ? {} : { override }),
    });
    if (priced.priceVersion !== priceVersion || priced.costNanoUsd !== toNano(costUsd)) continue;
    return priced.lines.map(({ bucket, tokens, usdPerMillion, costNanoUsd }) => ({
      bucket,
      tokens,
      usdPerMillion,
      costUsd: costNanoUsd / 1e9,
    }));
  }
  return null;
}

function overridesFor(bundle: Bundle, environment: string, provider: string, model: string): PriceOverride[] {
  const own = Object.hasOwn(bundle.environments, environment) ? Object.values(bundle.environments[environment]!.models) : [];
  return [...own, ...Object.values(bundle.models)].flatMap(({ targets, price }) =>
    price !== undefined && targets.some((target) => target.provider === provider && target.model === model) ? [price] : [],
  );
}

function toNano(usd: number): number {
  return Math.round(usd * 1e9);
}
