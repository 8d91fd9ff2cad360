import { z } from "zod";
import { durationSchema, nameSchema, schemaNotationSchema, templateValueSchema } from "./notation.ts";

const conditionSchema = z.union([z.boolean(), z.string()]).meta({ description: "A boolean, or exactly one ${{ expression }}." });

const onErrorSchema = z.union([z.enum(["fail", "continue"]), z.strictObject({ run: z.string(), with: templateValueSchema.optional() })]);

export const stepSchema = z.strictObject({
  id: nameSchema.optional(),
  description: z.string().optional(),
  if: conditionSchema.optional(),
  forEach: templateValueSchema.optional(),
  as: z.string().optional(),
  concurrency: z.int().min(1).max(1000).optional(),
  repeat: z
    .strictObject({ until: conditionSchema, max: z.int().min(1).max(1000), exhausted: z.enum(["last", "fail"]).optional() })
    .optional(),
  run: z.string().optional(),
  with: templateValueSchema.optional(),
  http: z
    .strictObject({
      method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]).optional(),
      url: z.string(),
      headers: z.record(z.string(), z.string()).optional(),
      body: templateValueSchema.optional(),
      output: schemaNotationSchema.optional(),
    })
    .optional(),
  wait: z
    .union([
      z.strictObject({ signal: nameSchema, payload: schemaNotationSchema.optional(), timeout: durationSchema.optional() }),
      z.strictObject({ for: durationSchema }),
    ])
    .optional(),
  set: z.record(z.string(), templateValueSchema).optional(),
  get parallel() {
    return z.array(stepSchema).optional();
  },
  timeout: durationSchema.optional(),
  retries: z.int().min(0).max(20).optional(),
  onError: onErrorSchema.optional(),
});
export type StepDefinition = z.infer<typeof stepSchema>;

/** `flows/NAME.yaml`. Which keys of a step go together is checked when the workflow is compiled. */
export const workflowSchema = z.strictObject({
  description: z.string().optional(),
  input: schemaNotationSchema.optional(),
  steps: z.array(stepSchema).min(1),
  output: templateValueSchema.optional(),
  limits: z
    .strictObject({ costUsd: z.number().positive().optional(), duration: durationSchema.optional(), tokens: z.int().positive().optional() })
    .optional(),
  schedule: z.strictObject({ cron: z.string(), timezone: z.string().optional(), input: templateValueSchema.optional() }).optional(),
});
export type WorkflowDefinition = z.infer<typeof workflowSchema>;
