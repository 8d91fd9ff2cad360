import { z } from "zod";
import type { Json } from "../json.ts";
import { jsonSchema } from "../wire/run.ts";

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

/** Picoschema or JSON Schema, as written; compilation turns both into JSON Schema. */
export const schemaNotationSchema: z.ZodType<Json> = jsonSchema.meta({ id: "SchemaNotation", description: "Picoschema or JSON Schema." });

/** A value in which text may hold `${{ expressions }}`. */
export const templateValueSchema: z.ZodType<Json> = jsonSchema.meta({
  id: "TemplateValue",
  description: "A value; text may hold ${{ expressions }}.",
});

/** Names of flows, steps, models and so on. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, "use letters, digits, _ and -, beginning with a letter, at most 64");
