import { z } from "zod";
import { flowKindSchema } from "./run.ts";

/** A JSON Schema as it stands in a release. */
const anyJsonSchemaSchema = z.union([z.boolean(), z.record(z.string(), z.unknown())]);

/** A flow that can be started, as the current release has it. */
export const flowSchema = z.object({
  name: z.string(),
  kind: flowKindSchema,
  description: z.string().nullable(),
  /** JSON Schema of the input; `true`: any input is accepted. */
  input: anyJsonSchemaSchema,
  /** JSON Schema of the output, as far as it is known. */
  output: anyJsonSchemaSchema,
  release: z.int(),
  /** Changes when anything that the flow reaches changes. */
  hash: z.string(),
  /** When runs of it are started by themselves, with this input. `nextTickAt` is null where no more will be, and in a `dev` that keeps no schedules. */
  schedule: z.object({ cron: z.string(), timezone: z.string(), input: z.unknown(), nextTickAt: z.iso.datetime().nullable() }).nullable(),
});
export type Flow = z.infer<typeof flowSchema>;

export const flowListSchema = z.object({ flows: z.array(flowSchema), nextCursor: z.string().nullable() });
export type FlowList = z.infer<typeof flowListSchema>;
