import type { Spending } from "./budget.ts";

const NEW_PLACE = /^(?:try\[\d+\]|onError)$/;

/**
 * Sums spending by the places of workflows: key `a.b` holds all that was spent at steps below it. A further try of a step and its rescue are
 * executions of their own, so they do not count for the first try.
 */
export function spentWithin(byStep: { readonly [stepPath: string]: Spending }): Map<string, Spending> {
  const sums = new Map<string, Spending>();
  for (const [path, { costNanoUsd, tokens }] of Object.entries(byStep)) {
    for (let dot = path.indexOf("."); dot !== -1; dot = path.indexOf(".", dot + 1)) {
      const [next] = path.slice(dot + 1).split(".", 1);
      if (NEW_PLACE.test(next!)) continue;
      const prefix = path.slice(0, dot);
      const sum = sums.get(prefix);
      if (sum === undefined) sums.set(prefix, { costNanoUsd, tokens });
      else {
        sum.costNanoUsd += costNanoUsd;
        sum.tokens += tokens;
      }
    }
  }
  return sums;
}
