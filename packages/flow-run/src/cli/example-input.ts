import type { Json, JsonObject, JsonSchema } from "@flow-run/spec";
import { createValueWriter } from "../model/index.ts";

/** An input that a schema accepts, plausible by the names of its properties; only what is required. `{}` when none is found. */
export async function exampleInput(schema: JsonSchema | undefined): Promise<Json> {
  if (typeof schema !== "object") return {};
  const { properties, required, ...rest } = schema;
  const wanted = Array.isArray(required) ? (required as string[]) : [];
  const all = typeof properties === "object" && properties !== null && !Array.isArray(properties) ? (properties as JsonObject) : {};
  const kept = Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name)));
  try {
    return await createValueWriter().write({ ...rest, properties: kept, required: wanted }, "", "example");
  } catch {
    return {};
  }
}
