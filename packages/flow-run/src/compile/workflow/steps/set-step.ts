import type { CompiledSetStep } from "../../bundle.ts";
import { anyType } from "../../expression/type.ts";
import { compileValue } from "../compile-value.ts";
import type { YamlEntry } from "../source-report.ts";
import type { ActionScope, CompiledAction } from "./step-environment.ts";

/** `set: { name: value }`: an object of values; its type is inferred. */
export function compileSet(set: YamlEntry, { scope, context }: ActionScope): CompiledAction<Pick<CompiledSetStep, "kind" | "set">> {
  const { value, type } = compileValue(set.value, anyType, scope, context, set.key);
  return { fields: { kind: "set", set: value }, output: type };
}
