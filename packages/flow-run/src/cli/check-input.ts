import type { Json, JsonSchema } from "@flow-run/spec";
import type { CompiledFlow } from "../compile/index.ts";
import { createValidators } from "../compile/index.ts";
import { CommandError } from "./command-error.ts";

/** The input with defaults filled in. Throws CommandError that lists what does not fit the flow's schema. */
export function checkInput(flow: CompiledFlow, input: Json): Json {
  if (flow.input === undefined) return input;
  const { value, errors } = createValidators().validate(flow.input, input, { defaults: true });
  if (errors.length === 0) return value;
  const list = errors.map(({ pointer, message }) => `\n  ${pointer ? `${pointer}: ` : ""}${message}`).join("");
  throw new CommandError(`The input does not fit ${flow.name} (${flow.file}):${list}${properties(flow.input)}`, {
    code: "invalid-input",
    details: { errors: errors.map(({ pointer, message }) => ({ pointer, detail: message })) },
  });
}

/** What an object's input may hold, as one would write it down. */
function properties(schema: JsonSchema): string {
  if (typeof schema !== "object" || typeof schema.properties !== "object" || schema.properties === null) return "";
  const required = Array.isArray(schema.required) ? schema.required : [];
  const names = Object.keys(schema.properties).map((name) => (required.includes(name) ? name : `${name} (optional)`));
  return names.length === 0 ? "" : `\nIt takes ${names.join(", ")}: as name=value, or --input '{…}'.`;
}
