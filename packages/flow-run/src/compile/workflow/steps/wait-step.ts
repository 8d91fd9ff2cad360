import { durationMs } from "@flow-run/spec";
import { isScalar, type Node } from "yaml";
import type { CompiledWaitStep } from "../../bundle.ts";
import { schemaType } from "../../expression/schema-type.ts";
import { anyType, nullType } from "../../expression/type.ts";
import type { YamlEntry } from "../source-report.ts";
import type { WorkflowContext } from "../workflow-context.ts";
import type { CompiledAction } from "./step-environment.ts";

/** `wait: { signal, payload, timeout }` gives the signal's payload; `wait: { for }` gives null. */
export function compileWait(
  wait: YamlEntry,
  context: WorkflowContext,
): CompiledAction<Pick<CompiledWaitStep, "kind" | "signal" | "forMs">> {
  const entries = new Map(context.report.entries(wait.value).map((entry) => [entry.name, entry.value]));
  const name = textOf(entries.get("signal"));
  if (name === undefined) return { fields: { kind: "wait", forMs: durationMs(textOf(entries.get("for")) ?? "0s") }, output: nullType };
  const declared = entries.get("payload");
  const payload = declared ? context.schema(declared) : undefined;
  const timeout = textOf(entries.get("timeout"));
  return {
    fields: {
      kind: "wait",
      signal: {
        name,
        ...(payload === undefined ? {} : { payload }),
        ...(timeout === undefined ? {} : { timeoutMs: durationMs(timeout) }),
      },
    },
    output: payload === undefined ? anyType : schemaType(payload, "read"),
  };
}

function textOf(node: Node | null | undefined): string | undefined {
  return isScalar(node) ? String(node.value) : undefined;
}
