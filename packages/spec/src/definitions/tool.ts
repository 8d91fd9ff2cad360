import { z } from "zod";
import { durationSchema, httpRequestSchema, nameSchema, schemaNotationSchema, templateValueSchema } from "./notation.ts";

const text = z.record(z.string(), z.string());

const mcpServerSchema = z
  .union([
    z.strictObject({
      command: z.string().min(1).meta({ description: "Program that speaks MCP on its standard input and output." }),
      args: z.array(z.string()).optional().meta({ description: "The program's arguments." }),
      env: text.optional().meta({ description: "Its environment variables; may hold ${{ secrets.NAME }}." }),
      tools: z.array(z.string()).optional().meta({ description: "Which of its tools may be called. Default: all." }),
    }),
    z.strictObject({
      url: z.string().min(1).meta({ description: "Where the server listens (streamable HTTP)." }),
      headers: text.optional().meta({ description: "Sent with each request; may hold ${{ secrets.NAME }}." }),
      tools: z.array(z.string()).optional().meta({ description: "Which of its tools may be called. Default: all." }),
    }),
  ])
  .meta({ description: "An MCP server: a program (command, args, env) or an address (url, headers)." });

/** The ways in which a tool can act, of which each tool has exactly one. */
export const TOOL_KINDS = ["http", "mcp", "run"] as const;

/** `tools/NAME.yaml`. That exactly one of `TOOL_KINDS` is given is checked when the file is read. */
export const toolSchema = z
  .strictObject({
    description: z.string().optional().meta({ description: "What the tool does and when to use it: the model reads this." }),
    input: schemaNotationSchema.optional().meta({ description: "Schema of the arguments. Default for run: the flow's input." }),
    output: schemaNotationSchema.optional().meta({ description: "Schema of the result." }),
    http: httpRequestSchema.optional().meta({ description: "The tool is an HTTP request; expressions see input and secrets." }),
    mcp: mcpServerSchema.optional(),
    run: nameSchema.optional().meta({ description: "The tool is another flow: a task, a workflow or an agent." }),
    with: templateValueSchema.optional().meta({ description: "The flow's input. Default: the arguments as they are." }),
    approval: z.enum(["required", "never"]).optional().meta({ description: "required: a person must allow each call. Default never." }),
    timeout: durationSchema.optional().meta({ description: "Per attempt. Default 60s." }),
    retries: z.int().min(0).max(20).optional().meta({ description: "Further attempts after the first. Default 0." }),
  })
  .meta({
    title: "tools/NAME.yaml",
    description: "A tool that agents may call: an HTTP request, an MCP server, or another flow.",
    oneOf: TOOL_KINDS.map((kind) => ({ required: [kind] })),
  });
export type ToolDefinition = z.infer<typeof toolSchema>;
