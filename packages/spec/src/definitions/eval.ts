import { z } from "zod";
import { anyValueSchema, durationSchema, nameSchema, templateValueSchema } from "./notation.ts";

const share = z.number().min(0).max(1);

const caseSchema = z
  .strictObject({
    name: z.string().optional().meta({ description: "Shown in reports. Default: its number." }),
    input: anyValueSchema.meta({ description: "The flow's input." }),
    expected: anyValueSchema.optional().meta({ description: "What checks compare with, as ${{ expected }}." }),
    tags: z.array(z.string()).optional().meta({ description: "For results by group." }),
  })
  .meta({ id: "EvalCase" });
export type EvalCase = z.infer<typeof caseSchema>;

const actual = templateValueSchema.optional().meta({ description: "What is looked at. Default: ${{ output }}." });
const negatable = "Short: the expected value alone.";

/** `equals: Paris` is short for `equals: { expected: Paris }`. */
const comparisonSchema = templateValueSchema;

const textCheckSchema = z.union([
  z.string(),
  z.strictObject({ actual, expected: templateValueSchema, ignoreCase: z.boolean().optional().meta({ description: "Default false." }) }),
]);

const patternCheckSchema = z.union([z.string(), z.strictObject({ actual, expected: z.string().meta({ description: "RE2 pattern." }) })]);

const judgeSchema = z.strictObject({
  run: nameSchema.meta({
    description: "A task whose input declares any of input, output, expected and whose output is { score: number, reason: string }.",
  }),
  min: z.number().optional().meta({ description: "Least score that passes. Default: the middle of the scale." }),
  scale: z.tuple([z.number(), z.number()]).optional().meta({ description: "Least and greatest score. Default [0, 1]." }),
  with: templateValueSchema
    .optional()
    .meta({ description: "The judge's input. Default: input, output, expected as far as it declares them." }),
});

/** What a check can look at, of which each check has exactly one. */
export const CHECK_KINDS = [
  "equals",
  "notEquals",
  "contains",
  "notContains",
  "matches",
  "notMatches",
  "expr",
  "judge",
  "maxCostUsd",
  "maxDuration",
  "maxTokens",
] as const;
export type CheckKind = (typeof CHECK_KINDS)[number];

/** One check of an eval. That exactly one of `CHECK_KINDS` is given is checked when the file is read. */
export const checkSchema = z
  .strictObject({
    name: z.string().optional().meta({ description: "Shown in reports. Default: the check in words." }),
    equals: comparisonSchema.optional().meta({ description: `Equal as JSON: { actual, expected }. ${negatable}` }),
    notEquals: comparisonSchema.optional().meta({ description: `Not equal: { actual, expected }. ${negatable}` }),
    contains: textCheckSchema.optional().meta({ description: `Text that occurs: { actual, expected, ignoreCase }. ${negatable}` }),
    notContains: textCheckSchema
      .optional()
      .meta({ description: `Text that does not occur: { actual, expected, ignoreCase }. ${negatable}` }),
    matches: patternCheckSchema.optional().meta({ description: `Matches a pattern: { actual, expected }. ${negatable}` }),
    notMatches: patternCheckSchema.optional().meta({ description: `Matches no pattern: { actual, expected }. ${negatable}` }),
    expr: z.string().optional().meta({ description: "One ${{ expression }} that must be true; it sees input, output, expected and run." }),
    judge: judgeSchema.optional().meta({ description: "A task gives a score." }),
    maxCostUsd: z.number().min(0).optional().meta({ description: "Most US dollars that the run may cost." }),
    maxDuration: durationSchema.optional().meta({ description: "Longest time that the run may take." }),
    maxTokens: z.int().min(0).optional().meta({ description: "Most tokens that the run may use, input and output." }),
  })
  .meta({ id: "EvalCheck", oneOf: CHECK_KINDS.map((kind) => ({ required: [kind] })) });
export type CheckDefinition = z.infer<typeof checkSchema>;

/** `evals/NAME.yaml`. */
export const evalSchema = z
  .strictObject({
    description: z.string().optional().meta({ description: "What the eval makes sure of." }),
    flow: nameSchema.meta({ description: "The task, workflow or agent that is tried." }),
    cases: z
      .union([z.string().min(1), z.array(caseSchema).min(1)])
      .meta({ description: "A .jsonl file, from this file's folder, one case a line; or cases in place." }),
    checks: z.array(checkSchema).min(1).meta({ description: "All must pass for a case to pass." }),
    repeat: z.int().min(1).max(1000).optional().meta({ description: "Times that each case is run. Default 1." }),
    concurrency: z.int().min(1).max(1000).optional().meta({ description: "Runs at once. Default 10." }),
    budgetUsd: z.number().positive().optional().meta({ description: "Stops the eval cleanly before it costs more." }),
    gate: z
      .strictObject({
        passRate: share.optional().meta({ description: "Least share of cases that pass." }),
        noWorseThan: z.string().min(1).optional().meta({ description: "production, or a Git reference, to compare with." }),
        margin: share.optional().meta({ description: "How much worse is still not worse. Default 0." }),
        maxErrorRate: share.optional().meta({ description: "Share of cases that may end in an error. Default 0.05." }),
      })
      .optional()
      .meta({ description: "What must hold for a deploy." }),
  })
  .meta({ title: "evals/NAME.yaml", description: "An eval: cases and checks for a flow." });
export type EvalDefinition = z.infer<typeof evalSchema>;
