import type { Json } from "@flow-run/spec";

/** What SQL functions over JSON refuse, as `JSON.stringify` writes it: U+0000 and halves of surrogate pairs. A backslash before it may make it harmless; that costs a second look, no more. */
const SUSPECT = /\\u(?:0000|d[89a-f])/;

/** A value without U+0000 and lone surrogates, U+FFFD in their places; keys as well. The same value when there were none. */
function withoutUnstorable(value: Json): Json {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(withoutUnstorable);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [cleanText(key), withoutUnstorable(entry)]));
}

function cleanText(text: string): string {
  return text.replaceAll("\u0000", "\uFFFD").toWellFormed();
}

/** JSON text for a column; null for JSON's null. Characters that PostgreSQL's JSON functions refuse become U+FFFD, so that an odd answer of a model never keeps a run from ending. */
export function storeJson(value: Json | object): string | null {
  if (value === null || value === undefined) return null;
  const text = JSON.stringify(value);
  if (text === undefined) return null;
  return SUSPECT.test(text) ? JSON.stringify(withoutUnstorable(value as Json)) : text;
}

/** The same for text columns, which refuse U+0000. */
export function storableText(text: string): string;
export function storableText(text: string | null): string | null;
export function storableText(text: string | null): string | null {
  return text === null || !text.includes("\u0000") ? text : cleanText(text);
}

/** False when the text or value would have to be changed to be stored: what a client sends is refused rather than changed. `text` is the value as JSON. */
export function isStorable(value: Json, text = JSON.stringify(value)): boolean {
  return !SUSPECT.test(text) || JSON.stringify(withoutUnstorable(value)) === text;
}

/** A JSON column, selected as text. */
export function readJson(text: string | null): Json {
  return text === null ? null : (JSON.parse(text) as Json);
}
