import { PROBLEMS, type ProblemCode, problemSchema } from "@flow-run/spec";
import { z } from "zod";

interface DocumentedResponse {
  description: string;
  content: Record<string, { schema: z.ZodType }>;
}

/** Answers of a route as JSON, for the OpenAPI document. */
export function answers(schema: z.ZodType, description: string): DocumentedResponse {
  return { description, content: { "application/json": { schema } } };
}

/** An answer without a body, for the OpenAPI document. */
export function noBody(description: string): z.ZodType {
  return z.null().describe(description);
}

/** The problems that a route may answer with, by status; those that any route may answer with are added here. */
export function problems(...codes: ProblemCode[]): Record<number, DocumentedResponse> {
  const byStatus: Record<number, DocumentedResponse> = {};
  for (const code of [...codes, "internal-error", "database-unavailable"] as const) {
    const { status, title } = PROBLEMS[code];
    const known = byStatus[status];
    const description = `${code}: ${title}.`;
    byStatus[status] = {
      description: known === undefined ? description : `${known.description} ${description}`,
      content: { "application/problem+json": { schema: problemSchema } },
    };
  }
  return byStatus;
}
