import { z } from "zod";
import type { JsonSchema } from "../json.ts";
import { agentSchema } from "./agent.ts";
import { evalSchema } from "./eval.ts";
import { projectSchema } from "./project.ts";
import { promptSchema } from "./prompt.ts";
import { simulatorScriptSchema } from "./simulator-script.ts";
import { toolSchema } from "./tool.ts";
import { workflowSchema } from "./workflow.ts";

/** JSON Schemas (2020-12) of all formats by file name, from the schemas that validate: what editors complete and check with. */
export function editorSchemas(): { [fileName: string]: JsonSchema } {
  return {
    "flow-run.schema.json": editorSchema(projectSchema),
    "prompt.schema.json": editorSchema(promptSchema),
    "workflow.schema.json": editorSchema(workflowSchema),
    "agent.schema.json": editorSchema(agentSchema),
    "tool.schema.json": editorSchema(toolSchema),
    "eval.schema.json": editorSchema(evalSchema),
    "simulator.schema.json": editorSchema(simulatorScriptSchema),
  };
}

function editorSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // Every integer carries the bounds of exact doubles: noise in an editor.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as JsonSchema;
}
