import type { PriceLine } from "./price-question.ts";

/** Prices are exact to a billionth of a dollar per million tokens, so a token's price is a whole number of these units (1e-15 $, a femto-dollar). */
const UNITS_PER_NANO = 1_000_000;

/**
 * Tokens times price without a float in between: 1,000,000 × $0.000001 as floats is 1.000000000007918. The sum is rounded to whole nano-dollars
 * once, half up.
 */
export function exactCost(parts: readonly Omit<PriceLine, "costNanoUsd">[]): { costNanoUsd: number; lines: PriceLine[] } {
  return smallCost(parts) ?? largeCost(parts);
}

/** In numbers, as far as every one of them is a whole number that a float holds exactly: sums up to nine dollars. null beyond. */
function smallCost(parts: readonly Omit<PriceLine, "costNanoUsd">[]): { costNanoUsd: number; lines: PriceLine[] } | null {
  let sum = UNITS_PER_NANO / 2;
  const lines: PriceLine[] = [];
  for (const part of parts) {
    const units = part.tokens * Number(unitsPerToken(part.usdPerMillion));
    sum += units;
    if (sum > Number.MAX_SAFE_INTEGER) return null;
    const rest = units % UNITS_PER_NANO;
    lines.push({ ...part, costNanoUsd: (units - rest) / UNITS_PER_NANO + rest / UNITS_PER_NANO });
  }
  return { costNanoUsd: (sum - (sum % UNITS_PER_NANO)) / UNITS_PER_NANO, lines };
}

function largeCost(parts: readonly Omit<PriceLine, "costNanoUsd">[]): { costNanoUsd: number; lines: PriceLine[] } {
  const perNano = BigInt(UNITS_PER_NANO);
  let sum = 0n;
  const lines = parts.map((part) => {
    const units = BigInt(part.tokens) * BigInt(unitsPerToken(part.usdPerMillion));
    sum += units;
    return { ...part, costNanoUsd: Number(units / perNano) + Number(units % perNano) / UNITS_PER_NANO };
  });
  return { costNanoUsd: Number((sum + perNano / 2n) / perNano), lines };
}

/** $0.25 per million tokens = 250,000,000 units per token: the decimal digits, shifted by nine places. */
function unitsPerToken(usdPerMillion: number): string {
  return usdPerMillion.toFixed(9).replace(".", "");
}
