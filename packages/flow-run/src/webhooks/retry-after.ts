/** The header Retry-After (RFC 9110) as milliseconds from `nowMs`: seconds, or a date. null for what is neither, or lies in the past. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : /^[A-Za-z]{3},/.test(text) ? Date.parse(text) - nowMs : Number.NaN;
  return ms > 0 ? ms : null;
}
