import type { JsonSchema } from "@flow-run/spec";
import { schemaType } from "./schema-type.ts";
import { showType } from "./show-type.ts";

/** A JSON Schema as authors read types: `{ ticket: string, tone?: "kind" | "brief" }`. Long ones are cut short. */
export function showSchema(schema: JsonSchema): string {
  return showType(schemaType(schema, "write"));
}
