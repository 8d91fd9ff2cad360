import { z } from "zod";
import type { Json } from "../json.ts";

/** `30s`, `5m`, `24h`, `500ms`, `7d`; several units may follow each other (`1h30m`). */
export const durationSchema = z
  .string()
  .regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, "write a duration such as 30s, 5m or 24h")
  .meta({ id: "Duration", description: "A duration: 500ms, 30s, 5m, 24h, 7d, or several units such as 1h30m." });

const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration that `durationSchema` accepted. */
export function durationMs(duration: string): number {
  let sum = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) sum += Number(amount) * UNIT_MS[unit as string]!;
  return Math.round(sum);
}

/** Any value of a definition. Reading YAML lets only JSON through, so there is nothing left to check here. */
export const anyValueSchema = z.unknown() as unknown as z.ZodType<Json>;

/** Picoschema or JSON Schema, as written; compilation turns both into JSON Schema. */
export const schemaNotationSchema: z.ZodType<Json> = anyValueSchema.meta({
  id: "SchemaNotation",
  description:
    "Picoschema or JSON Schema. Picoschema: `name: string, what it is for`, `name?: number` (optional), `name(array): string`, `name(enum): [a, b]`, `name(object): …`. Types: string, number, integer, boolean, null, any.",
  type: ["string", "object", "boolean"],
});

/** A value in which text may hold `${{ expressions }}`. */
export const templateValueSchema: z.ZodType<Json> = anyValueSchema.meta({
  id: "TemplateValue",
  description: "A value; text may hold ${{ expressions }}. Text that is exactly one expression keeps the expression's type.",
});

/** Members of every object: as names they would find what nobody declared. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(["prototype", ...Object.getOwnPropertyNames(Object.prototype)]);

/** Names of flows, steps, models and so on. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, "use letters, digits, _ and -, beginning with a letter, at most 64")
  .refine((name) => !RESERVED_NAMES.has(name), "this name is reserved");

/** An HTTP request as steps and tools make it. */
export const httpRequestSchema = z.strictObject({
  method: z
    .enum(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
    .optional()
    .meta({ description: "Default: POST with a body, else GET." }),
  url: z.string().min(1).meta({ description: "Absolute URL, http or https; may hold ${{ expressions }}, secrets too." }),
  headers: z.record(z.string(), z.string()).optional().meta({ description: "Request headers; may hold ${{ expressions }}, secrets too." }),
  body: templateValueSchema
    .optional()
    .meta({ description: "Sent as JSON; text is sent as it is. May hold ${{ expressions }}, secrets too." }),
  output: schemaNotationSchema.optional().meta({ description: "Schema of the answer's body; an answer that does not match fails." }),
});
export type HttpRequestDefinition = z.infer<typeof httpRequestSchema>;
