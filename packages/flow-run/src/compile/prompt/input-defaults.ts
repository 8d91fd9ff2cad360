import type { Diagnostic, Json, JsonSchema, PromptSource } from "@flow-run/spec";
import { diagnosticAt, nameHint } from "../diagnostic-at.ts";
import { createValidators, type Validators } from "../schema/index.ts";

/** Checks defaults of prompts; the validators, which take milliseconds to make, are made for the first prompt that has some. */
export class InputDefaults {
  #validators: Validators | undefined;

  errors(schema: JsonSchema, value: Json): string[] {
    this.#validators ??= createValidators();
    return this.#validators.validate(schema, value).errors.map(({ message }) => message);
  }
}

/**
 * The input schema as callers see it: what has a default need not be given. Reports defaults for variables that are not declared, or that
 * their own schema refuses.
 */
export function withDefaults(
  { source, value }: PromptSource,
  schema: JsonSchema | undefined,
  defaults: InputDefaults,
): { schema: JsonSchema | undefined; diagnostics: Diagnostic[] } {
  const given = Object.entries(value.input?.default ?? {});
  if (typeof schema !== "object" || given.length === 0 || !isRecord(schema.properties)) return { schema, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const properties = { ...schema.properties };
  for (const [name, item] of given) {
    const path = ["input", "default", name];
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined) {
      if (isOpen(schema)) continue;
      const hint = nameHint(name, Object.keys(properties), "declare it under input: schema");
      diagnostics.push(diagnosticAt({ source, path, at: "key" }, "error", "unknown-variable", `the input has no variable "${name}"`, hint));
      continue;
    }
    // A reference points into the whole schema, so it cannot be checked alone.
    const errors = JSON.stringify(property).includes('"$ref"') ? [] : defaults.errors(property as JsonSchema, item);
    for (const message of errors) {
      diagnostics.push(
        diagnosticAt({ source, path }, "error", "type-mismatch", `the default of "${name}" does not fit its schema: ${message}`),
      );
    }
    if (isRecord(property)) properties[name] = { ...property, default: item };
  }
  const required = Array.isArray(schema.required) ? schema.required.filter((name) => !given.some(([key]) => key === name)) : [];
  const { required: _, ...rest } = schema;
  return { schema: { ...rest, properties, ...(required.length === 0 ? {} : { required }) }, diagnostics };
}

function isOpen(schema: { [keyword: string]: Json }): boolean {
  const { additionalProperties, patternProperties } = schema;
  return additionalProperties === true || isRecord(additionalProperties) || isRecord(patternProperties);
}

function isRecord(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
