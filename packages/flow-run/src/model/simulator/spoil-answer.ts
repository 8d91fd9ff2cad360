import type { Json } from "@flow-run/spec";

/** The same JSON as a model writes it that was cut off: it ends in the middle. */
export function breakJson(json: string): string {
  return json.length < 2 ? "{" : json.slice(0, Math.ceil(json.length * 0.6));
}

/** A value as near to the given one as one mistake: the first property is missing and another stands in its place. */
export function spoilValue(value: Json): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const [, ...rest] = Object.entries(value);
    return Object.fromEntries([...rest, ["unexpected", true]]);
  }
  return { unexpected: value };
}
