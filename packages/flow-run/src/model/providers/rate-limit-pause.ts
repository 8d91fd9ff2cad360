/** Longer waits are as good as a refusal; also keeps nonsense out of timers. */
const MAX_MS = 24 * 60 * 60 * 1000;

const UNITS: { readonly [unit: string]: number } = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/**
 * How long a provider will take nothing more, where its headers say that something is used up and when that begins anew
 * (`x-ratelimit-remaining-requests: 0` with `x-ratelimit-reset-requests: 6m0s`, `anthropic-ratelimit-tokens-remaining` with a date, and their likes: each
 * vendor has the two words in its own place). Clamped to 24 h; undefined when nothing is used up or no time is told.
 */
export function rateLimitPauseMs(headers: { readonly [name: string]: string } | undefined, nowMs: number): number | undefined {
  let longest = 0;
  for (const name in headers) {
    if (!name.includes("ratelimit") || !name.includes("remaining")) continue;
    const remaining = headers[name]!.trim();
    if (remaining === "" || !(Number(remaining) <= 0)) continue;
    const reset = headers[name.replace("remaining", "reset")];
    if (reset !== undefined) longest = Math.max(longest, untilResetMs(reset.trim(), vendorsNowMs(headers, nowMs)));
  }
  return longest > 0 ? Math.round(Math.min(longest, MAX_MS)) : undefined;
}

/** The vendor's clock decides what its dates mean. */
function vendorsNowMs(headers: { readonly [name: string]: string }, nowMs: number): number {
  const date = Date.parse(headers.date ?? "");
  return Number.isNaN(date) ? nowMs : date;
}

/** Milliseconds; 0 or less, or NaN never, for what has passed or cannot be read. */
function untilResetMs(text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    // Seconds from now, or since 1970, or milliseconds since 1970: nobody asks for thirty years.
    if (number >= 1e12) return number - nowMs;
    return number >= 1e9 ? number * 1000 - nowMs : number * 1000;
  }
  if (/^(\d+(\.\d+)?(d|h|ms|m|s|us|µs|ns))+$/.test(text)) {
    return [...text.matchAll(/(\d+(?:\.\d+)?)(d|h|ms|m|s|us|µs|ns)/g)].reduce(
      (sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!,
      0,
    );
  }
  const date = /^\d{4}-|^[A-Z][a-z]{2},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? 0 : date - nowMs;
}
