import type { Diagnostic, Json, JsonSchema, PromptSource } from "@flow-run/spec";
import { diagnosticAt } from "../diagnostic-at.ts";
import type { InputShape } from "./named-shapes.ts";

/** Declared variables that the prompt never reads: callers must give them for nothing. */
export function unusedVariables({ source, value }: PromptSource, schema: JsonSchema | undefined, input: InputShape): Diagnostic[] {
  if (input.usedWhole || typeof schema !== "object" || !isRecord(schema.properties)) return [];
  return Object.keys(schema.properties)
    .filter((name) => !input.used.has(name))
    .map((name) => {
      const at = { source, path: ["input", "schema", ...declaredAt(value.input?.schema ?? null, name)], at: "key" as const };
      return diagnosticAt(
        at,
        "warning",
        "unused-variable",
        `the prompt never uses its variable "${name}"`,
        `write {{${name}}}, or remove it`,
      );
    });
}

/** Path of a variable in the schema as written: `tags?(array, of the ticket)` in Picoschema, under `properties` in JSON Schema. */
function declaredAt(notation: Json, name: string): string[] {
  if (!isRecord(notation)) return [];
  const key = Object.keys(notation).find((written) => written.split("(", 1)[0]!.trim().replace(/\?$/, "") === name);
  if (key !== undefined) return [key];
  return isRecord(notation.properties ?? null) ? ["properties", name] : [];
}

function isRecord(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
