import { z } from "zod";
import { durationSchema, nameSchema, schemaNotationSchema } from "./notation.ts";

/** A tool's name, or SERVER.TOOL for one of the tools of an MCP server. */
const toolReferenceSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[A-Za-z0-9_./-]{1,128})?$/, "write the name of a file in tools/, or SERVER.TOOL")
  .meta({ description: "Name of a file in tools/; SERVER.TOOL for one tool of an MCP server." });

/** `agents/NAME.yaml`. */
export const agentSchema = z
  .strictObject({
    description: z.string().optional().meta({ description: "What the agent does, for people and for models that use it as a tool." }),
    prompt: nameSchema.meta({ description: "Name of a prompt: its messages start the conversation, its input schema is the agent's." }),
    tools: z.array(toolReferenceSchema).optional().meta({ description: "What the model may call. Default: nothing." }),
    output: schemaNotationSchema.optional().meta({ description: "Schema of the final answer. Default: the prompt's." }),
    limits: z
      .strictObject({
        turns: z.int().min(1).max(1000).optional().meta({ description: "Answers of the model, tool calls included. Default 20." }),
        costUsd: z.number().positive().optional().meta({ description: "US dollars that one run may cost." }),
        duration: durationSchema.optional().meta({ description: "How long one run may take." }),
        tokens: z.int().positive().optional().meta({ description: "Tokens that one run may use, input and output." }),
      })
      .optional()
      .meta({ description: "Where a run of the agent is stopped." }),
  })
  .meta({ title: "agents/NAME.yaml", description: "An agent: a prompt that may call tools until it has an answer." });
export type AgentDefinition = z.infer<typeof agentSchema>;
