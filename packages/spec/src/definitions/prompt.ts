import { z } from "zod";
import { jsonSchema } from "../wire/run.ts";
import { schemaNotationSchema } from "./notation.ts";

/** Front matter of a `.prompt` file, as the Dotprompt specification says. Keys with a dot (`ext.key`) are extensions and kept. */
export const promptSchema = z
  .object({
    name: z.string().optional(),
    variant: z.string().optional(),
    description: z.string().optional(),
    model: z.string().optional(),
    config: z.record(z.string(), jsonSchema).optional(),
    input: z.strictObject({ schema: schemaNotationSchema.optional(), default: z.record(z.string(), jsonSchema).optional() }).optional(),
    output: z.strictObject({ format: z.enum(["text", "json"]).optional(), schema: schemaNotationSchema.optional() }).optional(),
    tools: z.array(z.string()).optional(),
    metadata: z.record(z.string(), jsonSchema).optional(),
  })
  .catchall(jsonSchema);
export type PromptDefinition = z.infer<typeof promptSchema>;
