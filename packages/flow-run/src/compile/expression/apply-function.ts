import { Duration, parseTimestamp } from "./duration.ts";
import { equal } from "./equal.ts";
import { type Frame, isObject, MAX_TEXT, type Site } from "./evaluation.ts";
import { compilePattern, isPattern, type Pattern } from "./pattern.ts";
import { print, printJson } from "./print.ts";
import { kindOf } from "./value-kind.ts";

/** Where a call and each of its arguments stand; the receiver of a method is the first argument. */
export interface Call {
  readonly site: Site;
  readonly argumentSites: readonly Site[];
}

/** Calls a function of the table in `functions.ts`. Values need not have been type-checked. */
export function applyFunction(name: string, call: Call, args: readonly unknown[], frame: Frame): unknown {
  const { site } = call;
  switch (name) {
    case "size":
      return size(args[0], call, frame);
    case "string":
      return toText(args[0], call, frame);
    case "int":
      return toInteger(args[0], call);
    case "double":
      return typeof args[0] === "number" ? args[0] : parseNumber(textOf(0, args, call), call);
    case "bool":
      return toBool(args[0], call);
    case "timestamp":
      if (args[0] instanceof Date) return args[0];
      return parseTimestamp(textOf(0, args, call)) ?? bad(call, 'A timestamp is written as "2026-01-31T12:00:00Z", with time and offset.');
    case "duration":
      if (args[0] instanceof Duration) return args[0];
      return Duration.parse(textOf(0, args, call)) ?? bad(call, 'A duration is written as "90s", "1h30m" or "1d".');
    case "toJson":
      return printJson(args[0] ?? null, frame, site);
    case "fromJson":
      return parseJson(textOf(0, args, call), call, frame);
    case "sum":
      return finite(
        numbersOf(args, call, frame).reduce((sum, number) => sum + number, 0),
        site,
      );
    case "min":
    case "max":
      return extreme(name, numbersOf(args, call, frame), site);
    case "round": {
      const number = numberOf(0, args, call);
      const rounded = Math.sign(number) * Math.round(Math.abs(number));
      return rounded === 0 ? 0 : rounded;
    }
    case "contains":
    case "startsWith":
    case "endsWith":
    case "indexOf":
    case "lastIndexOf":
      return search(name, args, call, frame);
    case "matches":
      return matches(args, call, frame);
    case "substring":
      return substring(args, call, frame);
    case "split":
      return split(textOf(0, args, call), textOf(1, args, call), site, frame);
    case "trim":
      return made(textOf(0, args, call), site, frame).trim();
    case "replace":
      return replace(textOf(0, args, call), textOf(1, args, call), textOf(2, args, call), site, frame);
    case "lowerAscii":
      return made(textOf(0, args, call), site, frame).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    case "upperAscii":
      return made(textOf(0, args, call), site, frame).replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    case "join":
      return join(listOf(args, call, frame), args.length > 1 ? textOf(1, args, call) : "", call, frame);
    case "flatten":
      return flatten(listOf(args, call, frame), site, frame);
    case "distinct":
      return distinct(listOf(args, call, frame), site, frame);
    case "reverse":
      return [...listOf(args, call, frame)].reverse();
    case "slice":
      return slice(listOf(args, call, frame), args, call);
  }
  throw new Error(`function "${name}" has a signature and no body`);
}

function bad(call: Call, message: string, index = 0): never {
  return (call.argumentSites[index] ?? call.site).fail("bad-value", message);
}

function textOf(index: number, args: readonly unknown[], call: Call): string {
  const value = args[index];
  return typeof value === "string" ? value : bad(call, `A string is needed here, not ${kindOf(value)}.`, index);
}

function numberOf(index: number, args: readonly unknown[], call: Call): number {
  const value = args[index];
  return typeof value === "number" ? value : bad(call, `A number is needed here, not ${kindOf(value)}.`, index);
}

/** The first argument as a list; its elements are paid for, as every list function visits them. */
function listOf(args: readonly unknown[], call: Call, frame: Frame): readonly unknown[] {
  const value = args[0];
  if (!Array.isArray(value)) return bad(call, `A list is needed here, not ${kindOf(value)}.`);
  call.site.spend(frame, value.length);
  return value;
}

function numbersOf(args: readonly unknown[], call: Call, frame: Frame): readonly number[] {
  const list = listOf(args, call, frame);
  for (const element of list) if (typeof element !== "number") bad(call, `The list may hold numbers only, not ${kindOf(element)}.`);
  return list as readonly number[];
}

/** A text's size is in characters (code points), as CEL says; positions in a text are in UTF-16 units. */
function size(value: unknown, call: Call, frame: Frame): number {
  if (Array.isArray(value)) return value.length;
  if (typeof value === "string") {
    call.site.spend(frame, value.length >> 7);
    let pairs = 0;
    for (let i = 0; i < value.length - 1; i++) {
      if ((value.codePointAt(i) ?? 0) > 0xffff) {
        pairs++;
        i++;
      }
    }
    return value.length - pairs;
  }
  if (isObject(value)) return Object.keys(value).length;
  return bad(call, `size() takes a string, a list or an object, not ${kindOf(value)}.`);
}

function toText(value: unknown, call: Call, frame: Frame): string {
  if (value === null || value === undefined || (typeof value === "object" && !(value instanceof Date) && !(value instanceof Duration))) {
    return bad(call, `string() does not take ${kindOf(value)}; toJson() does.`);
  }
  return print(value, frame, call.site);
}

function toInteger(value: unknown, call: Call): number {
  if (typeof value === "number") return value === 0 ? 0 : Math.trunc(value) || 0;
  if (value instanceof Date) return Math.floor(value.getTime() / 1_000);
  if (typeof value !== "string") return bad(call, `int() takes a number, a string or a timestamp, not ${kindOf(value)}.`);
  const number = /^[+-]?\d{1,20}$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number || 0 : bad(call, "This text is not a whole number.");
}

function parseNumber(value: string, call: Call): number {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) && value.length < 400 ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number || 0 : bad(call, "This text is not a number.");
}

function toBool(value: unknown, call: Call): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true") return true;
  if (value === "false") return false;
  return bad(call, 'bool() takes "true" or "false".');
}

function parseJson(text: string, call: Call, frame: Frame): unknown {
  call.site.spend(frame, text.length >> 5);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad(call, "This text is not JSON.");
  }
  requireFinite(value, call);
  return value;
}

/** `1e999` is JSON, but no number. */
function requireFinite(value: unknown, call: Call): void {
  if (typeof value === "number" && !Number.isFinite(value)) bad(call, "A number in this JSON is too big.");
  if (typeof value === "object" && value !== null) for (const part of Object.values(value)) requireFinite(part, call);
}

function finite(value: number, site: Site): number {
  return Number.isFinite(value) ? value : site.fail("bad-value", "The result is too big for a number.");
}

function extreme(name: "min" | "max", list: readonly number[], site: Site): number {
  if (list.length === 0) return site.fail("index-out-of-range", `${name}() of an empty list has no value.`);
  return list.reduce((best, number) => (name === "min" ? Math.min(best, number) : Math.max(best, number)));
}

function made(text: string, site: Site, frame: Frame): string {
  site.spendText(frame, text.length);
  return text;
}

function search(name: string, args: readonly unknown[], call: Call, frame: Frame): boolean | number {
  const text = textOf(0, args, call);
  const part = textOf(1, args, call);
  call.site.spend(frame, (text.length + part.length) >> 7);
  switch (name) {
    case "contains":
      return text.includes(part);
    case "startsWith":
      return text.startsWith(part);
    case "endsWith":
      return text.endsWith(part);
    case "lastIndexOf":
      return text.lastIndexOf(part);
    default:
      return text.indexOf(part, args.length > 2 ? position(2, args, call, text.length) : 0);
  }
}

/** A whole number from 0 to `length`. */
function position(index: number, args: readonly unknown[], call: Call, length: number): number {
  const value = numberOf(index, args, call);
  if (!Number.isInteger(value)) return bad(call, "A whole number is needed here.", index);
  if (value >= 0 && value <= length) return value;
  return call.argumentSites[index]!.fail("index-out-of-range", `${value} is outside 0…${length}.`);
}

function matches(args: readonly unknown[], call: Call, frame: Frame): boolean {
  const text = textOf(0, args, call);
  const pattern = isPattern(args[1]) ? args[1] : patternOf(textOf(1, args, call), call, frame);
  // Linear in the text, and in the worst case in the pattern's size for each character.
  call.site.spend(frame, 4 + ((text.length * Math.max(pattern.size, 4)) >> 4));
  return pattern.program.test(text);
}

/** A pattern that is only known at run time. Compiling is dear: a few of them are many. */
function patternOf(source: string, call: Call, frame: Frame): Pattern {
  frame.patterns ??= new Map();
  const known = frame.patterns.get(source);
  if (known) return known;
  call.site.spend(frame, 1_000 + source.length * 300);
  const compiled = compilePattern(source);
  if ("problem" in compiled) return bad(call, compiled.problem, 1);
  frame.patterns.set(source, compiled.pattern);
  return compiled.pattern;
}

function substring(args: readonly unknown[], call: Call, frame: Frame): string {
  const text = textOf(0, args, call);
  const from = position(1, args, call, text.length);
  const to = args.length > 2 ? position(2, args, call, text.length) : text.length;
  if (from > to) return call.site.fail("index-out-of-range", `${from} is after ${to}.`);
  call.site.spendText(frame, to - from);
  return text.slice(from, to);
}

function split(text: string, separator: string, site: Site, frame: Frame): string[] {
  site.spend(frame, text.length >> 7);
  const parts = text.split(separator, frame.fuel + 2);
  site.spend(frame, parts.length);
  return parts;
}

function replace(text: string, from: string, to: string, site: Site, frame: Frame): string {
  const parts = from === "" ? ["", ...split(text, "", site, frame), ""] : split(text, from, site, frame);
  if (text === "" && from === "") return to;
  const length = text.length + (parts.length - 1) * (to.length - from.length);
  site.spendText(frame, Math.max(length, 0));
  return parts.join(to);
}

function join(list: readonly unknown[], separator: string, call: Call, frame: Frame): string {
  let length = Math.max(list.length - 1, 0) * separator.length;
  for (const element of list) {
    if (typeof element !== "string") return bad(call, `The list may hold strings only, not ${kindOf(element)}.`);
    length += element.length;
    if (length > MAX_TEXT) break;
  }
  call.site.spendText(frame, length);
  return list.join(separator);
}

function flatten(list: readonly unknown[], site: Site, frame: Frame): unknown[] {
  const flat: unknown[] = [];
  for (const element of list) {
    if (!Array.isArray(element)) flat.push(element);
    else {
      site.spend(frame, element.length);
      for (const inner of element) flat.push(inner);
    }
  }
  return flat;
}

function distinct(list: readonly unknown[], site: Site, frame: Frame): unknown[] {
  const scalars = new Set<unknown>();
  const others: unknown[] = [];
  return list.filter((element) => {
    if (typeof element !== "object" || element === null) return !scalars.has(element) && scalars.add(element);
    for (const other of others) {
      site.spend(frame, 1);
      if (equal(element, other, frame, site)) return false;
    }
    return others.push(element);
  });
}

function slice(list: readonly unknown[], args: readonly unknown[], call: Call): unknown[] {
  const from = position(1, args, call, list.length);
  const to = position(2, args, call, list.length);
  return from > to ? call.site.fail("index-out-of-range", `${from} is after ${to}.`) : list.slice(from, to);
}
