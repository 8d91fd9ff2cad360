import type { Json, JsonSchema } from "@flow-run/spec";
import { NoValueError } from "./no-value-error.ts";

/** The schema within `root` that a local `$ref` (`#`, `#/$defs/item`, `#name`) points at. */
export function resolveReference(root: JsonSchema, reference: string): JsonSchema {
  if (reference === "#") return root;
  if (!reference.startsWith("#")) throw new NoValueError(`${reference} is outside the schema`);
  const found = reference.startsWith("#/") ? walk(root, reference) : findAnchor(root, reference.slice(1));
  if (typeof found === "boolean" || (typeof found === "object" && found !== null && !Array.isArray(found))) return found;
  throw new NoValueError(`${reference} points at nothing`);
}

function walk(root: Json, reference: string): Json | undefined {
  let place: Json | undefined = root;
  for (const part of reference.slice(2).split("/")) {
    if (typeof place !== "object" || place === null) return undefined;
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    place = Object.hasOwn(place, key) ? (place as { [key: string]: Json })[key] : undefined;
  }
  return place;
}

function findAnchor(place: Json, name: string): Json | undefined {
  if (typeof place !== "object" || place === null) return undefined;
  if (!Array.isArray(place) && place.$anchor === name) return place;
  for (const inner of Object.values(place)) {
    const found = findAnchor(inner, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
