import type { CompiledValue } from "./bundle.ts";

const SECRET = /\bsecrets\s*(?:\.\s*\??\s*([A-Za-z_]\w*)|\[\s*\??\s*(["'])([^"'\\]+)\2\s*\])/g;

/**
 * Names of the secrets that expressions of these values may read: `secrets.NAME` and `secrets["NAME"]`. There is no other way to
 * read one, so that no input can choose it.
 */
export function secretNames(...values: (CompiledValue | undefined)[]): string[] {
  const names = new Set<string>();
  const visit = (part: CompiledValue): void => {
    if ("expression" in part) read(part.expression.source);
    else if ("parts" in part) for (const piece of part.parts) typeof piece === "string" || read(piece.source);
    else if ("list" in part) for (const element of part.list) visit(element);
    else if ("map" in part) for (const [, entry] of part.map) visit(entry);
  };
  const read = (source: string): void => {
    for (const match of source.matchAll(SECRET)) names.add((match[1] ?? match[3]) as string);
  };
  for (const value of values) if (value !== undefined) visit(value);
  return [...names];
}
