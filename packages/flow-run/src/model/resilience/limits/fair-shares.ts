export interface Claim {
  want: number;
  /** When its oldest waiter came; Infinity when nobody waits. Decides who gets what cannot be divided. */
  since: number;
  /** Decides among those who came at the same time; the lowest first. */
  turn: number;
}

/** Divides a whole number of places: everybody gets what they want up to a common level, and those who wait longest the rest, one each. */
export function fairShares(places: number, claims: readonly Claim[]): number[] {
  const wants = claims.map(({ want }) => Math.max(0, want));
  let level = 0;
  let left = places;
  for (const want of [...wants].sort((a, b) => a - b)) {
    const above = wants.filter((other) => other > level).length;
    if (above === 0) break;
    const step = Math.min(want - level, Math.floor(left / above));
    level += step;
    left -= step * above;
  }
  const shares = wants.map((want) => Math.min(want, level));
  const unmet = claims.map(({ since, turn }, index) => ({ since, turn, index })).filter(({ index }) => wants[index]! > level);
  for (const { index } of unmet.sort((a, b) => a.since - b.since || a.turn - b.turn).slice(0, left)) shares[index]!++;
  return shares;
}
