/** What was given out in a slot of time, by the shared clock. */
export type Bucket = [slot: number, amount: number];

/** Buckets are so wide. */
export const SLOT_MS = 500;

/** A permit that was given out is used within this time or comes back. */
export const USABLE_MS = 1_000;

/** A minute of uses: a permit may have been given out this much earlier than it is used. */
export const WINDOW_MS = 60_000 + USABLE_MS;

export function slotOf(nowMs: number): number {
  return Math.floor(nowMs / SLOT_MS);
}

/** The buckets that still count. One from the future (the clock was set back) counts as of now, so that it does not block for ever. */
export function counting(buckets: readonly Bucket[], nowMs: number, windowMs: number): Bucket[] {
  const oldest = slotOf(nowMs - windowMs);
  const newest = slotOf(nowMs);
  const kept: Bucket[] = [];
  for (const [slot, amount] of buckets) if (slot >= oldest && amount > 0) add(kept, Math.min(slot, newest), amount);
  return kept;
}

/** Adds to the bucket of a slot in place; negative amounts take away, down to nothing. */
export function add(buckets: Bucket[], slot: number, amount: number): void {
  const bucket = buckets.find((other) => other[0] === slot);
  if (bucket !== undefined) bucket[1] = Math.max(0, bucket[1] + amount);
  else if (amount > 0) buckets.push([slot, amount]);
}

export function total(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, [, amount]) => sum + amount, 0);
}

/** When the oldest bucket stops counting; Infinity when there is none. */
export function nextFreeMs(buckets: readonly Bucket[], windowMs: number): number {
  const oldest = buckets.reduce((least, [slot, amount]) => (amount > 0 ? Math.min(least, slot) : least), Number.POSITIVE_INFINITY);
  return (oldest + 1) * SLOT_MS + windowMs;
}
