const UNITS: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** A length of time inside an expression. Printed in seconds: `90s`. */
export class Duration {
  readonly milliseconds: number;

  constructor(milliseconds: number) {
    this.milliseconds = milliseconds;
  }

  /** `1h30m`, `90s`, `1.5d`, `-5m`; undefined for anything else. */
  static parse(text: string): Duration | undefined {
    if (!/^-?(\d+(\.\d+)?(ns|us|ms|s|m|h|d))+$/.test(text)) return undefined;
    let sum = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)/g)) sum += Number(amount) * UNITS.get(unit!)!;
    // Ten thousand years: what the language allows at most.
    if (sum > 315_576_000_000_000) return undefined;
    return new Duration(text.startsWith("-") ? 0 - sum : sum);
  }

  toString(): string {
    return `${this.milliseconds / 1_000}s`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** RFC 3339 with a time and an offset; undefined for anything else, a date alone included. */
export function parseTimestamp(text: string): Date | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const date = new Date(text.toUpperCase());
  if (Number.isNaN(date.getTime())) return undefined;
  // JavaScript rolls 30 February over into March.
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month >= 1 && day >= 1 && day <= days ? date : undefined;
}
