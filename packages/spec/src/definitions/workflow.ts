import { z } from "zod";
import { anyValueSchema, durationSchema, httpRequestSchema, nameSchema, schemaNotationSchema, templateValueSchema } from "./notation.ts";

const conditionSchema = z.union([z.boolean(), z.string()]);

const onErrorSchema = z
  .union([
    z.enum(["fail", "continue"]),
    z.strictObject({
      run: z.string().meta({ description: "The flow that is called instead." }),
      with: templateValueSchema.optional().meta({ description: "Its input." }),
    }),
  ])
  .meta({ description: "What a failure does: fail the run (default), continue with null, or call another flow." });

const repeatSchema = z
  .strictObject({
    until: conditionSchema.meta({ description: "Exactly one ${{ expression }}; it sees the step's own output." }),
    max: z.int().min(1).max(1000).meta({ description: "How often at most." }),
    exhausted: z.enum(["last", "fail"]).optional().meta({ description: "When max is reached: give the last output (default), or fail." }),
  })
  .meta({ description: "Does the step again until a condition holds." });

const waitSchema = z
  .union([
    z.strictObject({
      signal: nameSchema.meta({ description: "The signal's name." }),
      payload: schemaNotationSchema.optional().meta({ description: "Schema of what the signal brings; the step's output." }),
      timeout: durationSchema.optional().meta({ description: "After it the step fails. Default: 30d." }),
    }),
    z.strictObject({ for: durationSchema.meta({ description: "How long." }) }),
  ])
  .meta({ description: "Waits for a signal from outside, or for some time." });

/** The journal calls the rescue of a step STEP.onError and its further tries STEP.try[1]. */
const stepNameSchema = nameSchema.refine((name) => name !== "onError" && name !== "try", "this name is reserved");

export const stepSchema = z.strictObject({
  id: stepNameSchema.optional().meta({ description: "Later steps read steps.ID.output. Only a parallel block may lack one." }),
  description: z.string().optional(),
  if: conditionSchema.optional().meta({ description: "true, false, or exactly one ${{ expression }}. A skipped step's output is null." }),
  forEach: templateValueSchema
    .optional()
    .meta({ description: "A list, or exactly one ${{ expression }} that is one: the step is done for each element." }),
  as: z.string().optional().meta({ description: "What the element is called in expressions. Default: item." }),
  concurrency: z.int().min(1).max(1000).optional().meta({ description: "Elements of forEach at the same time. Default: 10." }),
  repeat: repeatSchema.optional(),
  run: z.string().optional().meta({ description: "Calls a flow: a task, a workflow or an agent." }),
  with: templateValueSchema.optional().meta({ description: "The input of the flow that is called." }),
  http: httpRequestSchema
    .optional()
    .meta({ description: "Makes a request; the output is { status, headers, body }. Default method: GET, POST with a body." }),
  wait: waitSchema.optional(),
  set: z.record(z.string(), templateValueSchema).optional().meta({ description: "Makes an object of values." }),
  get parallel() {
    return z.array(stepSchema).min(1).optional().meta({ description: "Steps that run at the same time." });
  },
  timeout: durationSchema.optional().meta({ description: "Of one try." }),
  retries: z.int().min(0).max(20).optional().meta({ description: "Further tries of the step after a failure that may pass. Default: 0." }),
  onError: onErrorSchema.optional(),
});
export type StepDefinition = z.infer<typeof stepSchema>;

const scheduleSchema = z
  .strictObject({
    cron: z.string().meta({
      description: "When: minute hour day-of-month month day-of-week, or six fields that begin with seconds, or @daily and the like.",
      examples: ["0 9 * * MON-FRI", "*/15 * * * *"],
    }),
    timezone: z
      .string()
      .optional()
      .meta({ description: "Whose clocks: a name of the IANA database. Default: UTC.", examples: ["Europe/Berlin"] }),
    input: anyValueSchema.optional().meta({ description: "The input of the runs, as it is: it holds no expressions. Default: {}." }),
  })
  .meta({ description: "Starts a run at these times, in every environment where the workflow is deployed." });

/** `flows/NAME.yaml`. Which keys of a step go together is checked when the workflow is compiled. */
export const workflowSchema = z.strictObject({
  description: z.string().optional(),
  input: schemaNotationSchema.optional().meta({ description: "Schema of the input. Default: any input is accepted." }),
  steps: z.array(stepSchema).min(1).meta({ description: "In order, unless inside parallel." }),
  output: templateValueSchema.optional().meta({ description: "Default: the output of the last step." }),
  limits: z
    .strictObject({
      costUsd: z.number().positive().optional().meta({ description: "US dollars a run may cost." }),
      duration: durationSchema.optional().meta({ description: "How long a run may take." }),
      tokens: z.int().positive().optional().meta({ description: "Tokens a run may use, in and out." }),
      concurrency: z.int().min(1).max(1_000_000).optional().meta({
        description:
          "Runs of this workflow that may be under way at once, over all servers; runs beyond wait in line. An environment may say otherwise.",
      }),
    })
    .optional()
    .meta({ description: "A run that goes beyond a limit of cost, duration or tokens fails." }),
  schedule: scheduleSchema.optional(),
});
export type WorkflowDefinition = z.infer<typeof workflowSchema>;
