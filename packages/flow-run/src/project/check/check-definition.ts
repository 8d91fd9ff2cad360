import {
  agentSchema,
  CHECK_KINDS,
  type Definition,
  type DefinitionKind,
  type EvalDefinition,
  evalSchema,
  type ProjectDefinition,
  REMOTE_PROVIDER_KEYS,
  type SourceFile,
  suggest,
  TOOL_KINDS,
  type ToolDefinition,
  toolSchema,
  workflowSchema,
} from "@flow-run/spec";
import type { z } from "zod";
import { addAtFile, addAtPath, type Findings } from "../findings.ts";
import { readYaml } from "../yaml/read-yaml.ts";
import { checkValue } from "./check-value.ts";

/** Formats whose files are YAML from beginning to end. */
export const YAML_FORMATS = { workflow: workflowSchema, agent: agentSchema, tool: toolSchema, eval: evalSchema } as const;

/** Text of a `.yaml` file → the definition; undefined when it has mistakes, which are reported. */
export function readDefinition<Value>(
  kind: DefinitionKind,
  schema: z.ZodType<Value>,
  file: SourceFile,
  name: string,
  findings: Findings,
): Definition<Value> | undefined {
  const { source, value } = readYaml(file, findings);
  if (value === undefined) return undefined;
  if (value === null) {
    addAtFile(findings, file.path, { code: "empty-file", message: "the file is empty", hint: "write the definition, or remove the file" });
    return undefined;
  }
  const checked = checkValue(schema, source, value, findings);
  return checked === undefined ? undefined : { kind, name, source, value: checked };
}

/** What a schema cannot say of `flow-run.yaml`. */
export function checkProject({ source, value }: Definition<ProjectDefinition>, findings: Findings): void {
  for (const [name, provider] of Object.entries(value.providers ?? {})) {
    if (provider.type === "simulator") continue;
    const free = REMOTE_PROVIDER_KEYS.filter((key) => !Object.hasOwn(provider, key));
    for (const key of Object.keys(provider)) {
      const near = REMOTE_PROVIDER_KEYS.includes(key) ? undefined : suggest(key, free);
      if (near === undefined) continue;
      addAtPath(findings, source, ["providers", name, key], "key", {
        code: "unknown-key",
        severity: "warning",
        message: `the key ${JSON.stringify(key)} goes to the provider's adapter as it is`,
        hint: `did you mean ${JSON.stringify(near)}?`,
      });
    }
  }
}

/** What a schema cannot say of a tool; false when it cannot be used. */
export function checkTool({ source, value }: Definition<ToolDefinition>, findings: Findings): boolean {
  const kinds = TOOL_KINDS.filter((kind) => value[kind] !== undefined);
  if (!exactlyOne(kinds, TOOL_KINDS, source, [], "a tool", findings)) return false;
  if (value.with === undefined || value.run !== undefined) return true;
  addAtPath(findings, source, ["with"], "key", { code: "not-together", message: "with belongs to run", hint: "remove it" });
  return false;
}

/** What a schema cannot say of an eval; false when it cannot be used. */
export function checkEval({ source, value }: Definition<EvalDefinition>, findings: Findings): boolean {
  return value.checks
    .map((check, index) => {
      const kinds = CHECK_KINDS.filter((kind) => check[kind] !== undefined);
      return exactlyOne(kinds, CHECK_KINDS, source, ["checks", index], "a check", findings);
    })
    .every(Boolean);
}

function exactlyOne(
  given: readonly string[],
  kinds: readonly string[],
  source: Definition<unknown>["source"],
  path: (string | number)[],
  what: string,
  findings: Findings,
): boolean {
  if (given.length === 1) return true;
  const second = given[1];
  if (second === undefined) {
    addAtPath(findings, source, path, "key", { code: "missing-key", message: `${what} needs one of ${kinds.join(", ")}` });
  } else {
    const message = `${what} has one of ${kinds.join(", ")}; here are ${given.join(" and ")}`;
    addAtPath(findings, source, [...path, second], "key", { code: "not-together", message, hint: "make two of it" });
  }
  return false;
}
