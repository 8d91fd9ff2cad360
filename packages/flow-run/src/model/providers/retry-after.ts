/** Longer waits are as good as a refusal; also keeps nonsense out of timers. */
const MAX_MS = 24 * 60 * 60 * 1000;

/** How long the provider asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as a date. Clamped to 0…24 h; undefined when it says nothing usable. */
export function retryAfterMs(headers: { readonly [name: string]: string } | undefined, nowMs: number): number | undefined {
  if (headers === undefined) return undefined;
  const exact = Number.parseFloat(headers["retry-after-ms"] ?? "");
  if (Number.isFinite(exact)) return clamp(exact);
  const value = headers["retry-after"]?.trim();
  if (!value) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return clamp(seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : clamp(date - nowMs);
}

function clamp(ms: number): number {
  return Math.round(Math.min(Math.max(ms, 0), MAX_MS));
}
