import type { Json, JsonObject } from "@flow-run/spec";
import { type Bundle, type CompiledFlow, hashBundle } from "../../src/compile/index.ts";

const at = { file: "flows/reply.yaml", line: 3, column: 5 };

/** A bundle with a task `triage` (closed input schema, with a default), a task `echo` (any input) and a workflow `reply`; each part can be replaced. */
export function testBundle(changes: Partial<Bundle> = {}): JsonObject {
  const flows: Record<string, CompiledFlow> = {
    triage: {
      kind: "task",
      name: "triage",
      description: "Triage a ticket",
      file: "prompts/triage.prompt",
      hash: "a".repeat(64),
      model: "fast",
      config: {},
      input: {
        type: "object",
        properties: { ticket: { type: "string" }, tone: { type: "string", default: "kind" }, count: { type: "integer" } },
        required: ["ticket"],
        additionalProperties: false,
      },
      output: { format: "json", schema: { type: "object", properties: { category: { enum: ["billing", "bug"] } } } },
      template: "{{ticket}}",
      partials: {},
    },
    echo: {
      kind: "task",
      name: "echo",
      file: "prompts/echo.prompt",
      hash: "b".repeat(64),
      model: "fast",
      config: {},
      output: { format: "text" },
      template: "{{text}}",
      partials: {},
    },
    reply: {
      kind: "workflow",
      name: "reply",
      file: "flows/reply.yaml",
      hash: "c".repeat(64),
      steps: [
        {
          kind: "run",
          id: "triage",
          at,
          retries: 0,
          onError: "fail",
          flow: "triage",
          with: { map: [["ticket", { expression: { source: "input.ticket", at } }]] },
        },
      ],
      outputSchema: { type: "object" },
      limits: {},
    },
  };
  const content = {
    languageVersion: 1 as const,
    project: "support-desk",
    flows,
    providers: { sim: { type: "simulator", settings: {}, secrets: [] } },
    models: { fast: { targets: [{ provider: "sim", model: "gpt" }], timeoutMs: 30_000, retries: 2, limits: {} } },
    environments: {},
    ...changes,
  };
  return sealed(content as unknown as JsonObject);
}

/** The content with its right hash. */
export function sealed(content: { [key: string]: Json }): JsonObject {
  const { hash: _, ...rest } = content;
  return { ...rest, hash: hashBundle(rest as unknown as Bundle) };
}
