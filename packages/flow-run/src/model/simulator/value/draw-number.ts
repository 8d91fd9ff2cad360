import type { SeededRandom } from "../seeded-random.ts";
import type { SchemaObject } from "./merge-schemas.ts";
import { NoValueError } from "./no-value-error.ts";
import { wordsOfName } from "./words-of-name.ts";

/** What a number of that name usually is: least, most, decimals. */
const USUAL: [words: string[], least: number, most: number, decimals: number][] = [
  [["score", "rating", "grade", "stars"], 0, 10, 1],
  [["confidence", "probability", "likelihood", "certainty", "similarity", "relevance"], 0, 1, 2],
  [["percent", "percentage"], 0, 100, 0],
  [["price", "amount", "cost", "total", "refund", "fee", "balance", "usd", "eur"], 5, 200, 2],
  [["age"], 18, 80, 0],
  [["year"], 2020, 2026, 0],
  [["count", "quantity", "number", "items", "priority", "severity", "level", "rank", "index", "days", "hours"], 1, 5, 0],
];

/** A number within the schema's bounds; where it leaves room, a usual one for a property of that name. */
export function drawNumber(schema: SchemaObject, integer: boolean, name: string, random: SeededRandom): number {
  const words = wordsOfName(name);
  const usual = USUAL.find(([names]) => names.some((candidate) => words.includes(candidate)));
  const [, usualLeast, usualMost, decimals] = usual ?? [[], 0, 100, 0];
  const least = Math.max(numberOr(schema.minimum, -Infinity), numberOr(schema.exclusiveMinimum, -Infinity));
  const most = Math.min(numberOr(schema.maximum, Infinity), numberOr(schema.exclusiveMaximum, Infinity));
  if (least > most) throw new NoValueError("no number between the bounds");
  const [from, to] = narrow(least, most, usualLeast, usualMost);
  const allowed = (value: number) =>
    Number.isFinite(value) &&
    (!integer || Number.isInteger(value)) &&
    value >= least &&
    value <= most &&
    value !== schema.exclusiveMinimum &&
    value !== schema.exclusiveMaximum;

  const step = schema.multipleOf;
  if (typeof step === "number" && step > 0) {
    const first = Math.ceil(from / step);
    const steps = Math.max(0, Math.floor(to / step) - first);
    const start = random.integer(0, Math.min(steps, 1_000));
    for (let offset = 0; offset <= Math.min(steps, 1_000); offset++) {
      const value = roundLike((first + ((start + offset) % (steps + 1))) * step, step);
      if (allowed(value) && Number.isInteger(value / step)) return value;
    }
    throw new NoValueError("no multiple between the bounds");
  }
  for (const digits of integer ? [0] : [to - from <= 2 ? Math.max(2, decimals) : decimals, 4, 10]) {
    const scale = 10 ** digits;
    const lowest = Math.ceil(from * scale);
    const highest = Math.floor(to * scale);
    if (highest < lowest) continue;
    const drawn = random.integer(lowest, highest) / scale;
    for (const value of [drawn, lowest / scale, (lowest + 1) / scale, highest / scale, (highest - 1) / scale])
      if (allowed(value)) return value;
  }
  const drawn = from + random.next() * (to - from);
  for (const value of [drawn, from, to, (from + to) / 2]) if (allowed(value)) return value;
  throw new NoValueError("no number between the bounds");
}

/** The part of the usual range that the bounds allow; without one, a short range at the bound. */
function narrow(least: number, most: number, usualLeast: number, usualMost: number): [number, number] {
  const from = Math.max(least, usualLeast);
  const to = Math.min(most, usualMost);
  if (from < to || (from === to && least === most)) return [from, to];
  if (Number.isFinite(least)) return [least, Math.min(most, least + Math.max(10, Math.abs(least) * 0.01))];
  return [most - Math.max(10, Math.abs(most) * 0.01), most];
}

function roundLike(value: number, step: number): number {
  const decimals = /\.(\d+)$/.exec(String(step))?.[1]?.length ?? 0;
  return decimals === 0 ? value : Number(value.toFixed(decimals));
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
