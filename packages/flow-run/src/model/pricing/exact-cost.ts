import type { PriceLine } from "./price-question.ts";

/** Prices are exact to a billionth of a dollar per million tokens, so a token's price is a whole number of these units (1e-15 $, a femto-dollar). */
const UNITS_PER_NANO = 1_000_000n;

/**
 * Tokens times price without a float in between: 1,000,000 × $0.000001 as floats is 1.000000000007918. The sum is rounded to whole nano-dollars
 * once, half up.
 */
export function exactCost(parts: readonly Omit<PriceLine, "costNanoUsd">[]): { costNanoUsd: number; lines: PriceLine[] } {
  let sum = 0n;
  const lines = parts.map((part) => {
    const units = BigInt(part.tokens) * unitsPerToken(part.usdPerMillion);
    sum += units;
    return { ...part, costNanoUsd: Number(units / UNITS_PER_NANO) + Number(units % UNITS_PER_NANO) / Number(UNITS_PER_NANO) };
  });
  return { costNanoUsd: Number((sum + UNITS_PER_NANO / 2n) / UNITS_PER_NANO), lines };
}

/** $0.25 per million tokens = 250,000,000 units per token: the decimal digits, shifted by nine places. */
function unitsPerToken(usdPerMillion: number): bigint {
  const [whole = "0", fraction = ""] = usdPerMillion.toFixed(9).split(".");
  return BigInt(whole + fraction.padEnd(9, "0"));
}
