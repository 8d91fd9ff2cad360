import { z } from "zod";
import { anyValueSchema, durationSchema, schemaNotationSchema } from "./notation.ts";

const configSchema = z
  .object({
    temperature: z.number().min(0).optional().meta({ description: "0: nearly always the same answer; higher: more varied." }),
    maxOutputTokens: z.int().min(1).optional().meta({ description: "The answer is cut off after so many tokens." }),
    topP: z.number().min(0).max(1).optional().meta({ description: "Draw from the likeliest tokens that make up this share." }),
    topK: z.int().min(1).optional().meta({ description: "Draw from this many likeliest tokens." }),
    stopSequences: z.array(z.string()).optional().meta({ description: "Texts at which the answer ends." }),
    presencePenalty: z.number().optional().meta({ description: "Discourages what the text already mentions." }),
    frequencyPenalty: z.number().optional().meta({ description: "Discourages repeating the same words." }),
    seed: z.int().optional().meta({ description: "Asks the provider for the same answer each time, where it can." }),
    reasoningEffort: z.string().optional().meta({ description: "How much a reasoning model thinks, for example low, medium or high." }),
  })
  .catchall(anyValueSchema)
  .meta({ description: "Settings of the request; further keys go to the provider as they are." });

/** Front matter of a `.prompt` file, as the Dotprompt specification says. Keys with a dot (`ext.key`) are extensions and kept. */
export const promptSchema = z
  .object({
    name: z.string().optional().meta({ description: "Ignored: a prompt is called as its file is." }),
    variant: z.string().optional().meta({ description: "Kept for other tools." }),
    version: z.string().optional().meta({ description: "Kept for other tools." }),
    description: z.string().optional().meta({ description: "What the prompt does, for people and for models that use it as a tool." }),
    model: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "A name under models in flow-run.yaml, or PROVIDER/MODEL. Default: the model called default." }),
    config: configSchema.optional(),
    cache: z
      .union([durationSchema, z.literal(false)])
      .optional()
      .meta({ description: "How long an answer to the same request is given again, or false. Default: what the model says." }),
    input: z
      .strictObject({
        schema: schemaNotationSchema.optional().meta({ description: "Schema of the variables; without it any input is accepted." }),
        default: z
          .record(z.string(), anyValueSchema)
          .optional()
          .meta({ description: "Values for variables that the input does not give." }),
      })
      .optional()
      .meta({ description: "The variables of the prompt." }),
    output: z
      .strictObject({
        format: z.enum(["text", "json"]).optional().meta({ description: "Default: json with a schema, else text." }),
        schema: schemaNotationSchema.optional().meta({ description: "Schema of the answer; one that does not match is asked for again." }),
      })
      .optional()
      .meta({ description: "What the model must answer." }),
    tools: z.array(z.string()).optional().meta({ description: "Names of tools that the model may call, when an agent runs the prompt." }),
    toolDefs: z.array(anyValueSchema).optional().meta({ description: "Tools written out in place, for other programs." }),
    metadata: z.record(z.string(), anyValueSchema).optional().meta({ description: "Anything; kept." }),
  })
  .catchall(anyValueSchema)
  .meta({ title: "Front matter of a .prompt file", description: "A task: one prompt, in the Dotprompt format." });
export type PromptDefinition = z.infer<typeof promptSchema>;
