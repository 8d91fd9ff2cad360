import type { SchemaObject } from "./merge-schemas.ts";

const BOUND =
  /\b(exclusive minimum|exclusive maximum|minimum|maximum|multiple of|min length|max length|min items|max items): (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)/gi;
const RANGE = /(?<![\w.-])(-?\d+(?:\.\d+)?)\s*(?:to|and|-|–|—|\.\.\.?)\s*(-?\d+(?:\.\d+)?)(?![\w-])/;
const PATTERN = /\bpattern: (.+?)(?:; (?:min items|max items|unique items|min properties|max properties|not): .*)?\.?$/m;

/**
 * Bounds that stand only in a schema's description, as a model would read them there. Some clients move them into the description,
 * because their vendor refuses the keywords; and authors write "from 0 to 10".
 */
export function describedBounds(schema: SchemaObject, type: string): SchemaObject {
  const description = schema.description;
  if (typeof description !== "string") return schema;
  const bounds: SchemaObject = {};
  for (const [, words, value] of description.matchAll(BOUND)) {
    bounds[words!.toLowerCase().replace(/ ([a-z])/g, (_, letter: string) => letter.toUpperCase())] = Number(value);
  }
  if (/\bunique items: true\b/i.test(description)) bounds.uniqueItems = true;
  if ((type === "number" || type === "integer") && !hasRange(schema) && !hasRange(bounds)) {
    const range = RANGE.exec(description);
    if (range && Number(range[1]) < Number(range[2])) Object.assign(bounds, { minimum: Number(range[1]), maximum: Number(range[2]) });
  }
  const pattern = type === "string" ? PATTERN.exec(description)?.[1] : undefined;
  if (pattern !== undefined && isRegularExpression(pattern)) bounds.pattern = pattern;
  return { ...bounds, ...schema };
}

function hasRange(schema: SchemaObject): boolean {
  return ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].some((keyword) => schema[keyword] !== undefined);
}

function isRegularExpression(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}
