import type { Json } from "@flow-run/spec";
import type { CompiledFlow } from "../compile/index.ts";
import { createValidators } from "../compile/index.ts";
import { CommandError } from "./command-error.ts";

/** The input with defaults filled in. Throws CommandError that lists what does not fit the flow's schema. */
export function checkInput(flow: CompiledFlow, input: Json): Json {
  if (flow.input === undefined) return input;
  const { value, errors } = createValidators().validate(flow.input, input, { defaults: true });
  if (errors.length === 0) return value;
  const list = errors.map(({ pointer, message }) => `  ${pointer || "the input"}: ${message}`).join("\n");
  throw new CommandError(`The input does not fit ${flow.file}:\n${list}`, { code: "invalid-input" });
}
