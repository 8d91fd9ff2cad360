import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { Json, JsonSchema } from "@flow-run/spec";
import type { ModelRequest } from "../model.ts";
import type { Vendor } from "./vendor.ts";

export interface ConvertedOutput {
  responseFormat: LanguageModelV4CallOptions["responseFormat"];
  /** Said in the prompt because the vendor cannot be told otherwise; null when it can. */
  instruction: string | null;
  options: { [name: string]: Json };
}

const JSON_ONLY = "Answer with one JSON value and nothing else: no explanation, no code fence.";

/**
 * How to ask a vendor for JSON. All of them take only objects at the root of a schema, and OpenAI's `json_object` wants the word JSON in the
 * prompt, so what cannot be sent as a schema is written into the prompt instead.
 */
export function convertOutput(output: ModelRequest["output"], vendor: Vendor, model: string): ConvertedOutput {
  if (output === undefined) return { responseFormat: undefined, instruction: null, options: {} };
  const schema = output.schema === undefined ? null : withoutIdentity(output.schema);
  if (schema === null || Object.keys(schema).length === 0) return { responseFormat: { type: "json" }, instruction: JSON_ONLY, options: {} };
  if (schema.type !== "object") {
    return { responseFormat: undefined, instruction: describe(schema), options: {} };
  }
  if (!vendor.takesSchemas(model)) return { responseFormat: { type: "json" }, instruction: describe(schema), options: {} };
  return {
    responseFormat: { type: "json", schema, name: "output" },
    instruction: null,
    options: vendor.schemaOptions?.(schema, model) ?? {},
  };
}

function describe(schema: { [keyword: string]: Json }): string {
  return `${JSON_ONLY} It must fit this JSON Schema:\n${JSON.stringify(schema)}`;
}

/** Vendors refuse or misread the names by which a schema is known elsewhere. */
function withoutIdentity(schema: JsonSchema): { [keyword: string]: Json } | null {
  if (typeof schema === "boolean") return null;
  const { $schema: _schema, $id: _id, ...rest } = schema;
  return rest;
}
