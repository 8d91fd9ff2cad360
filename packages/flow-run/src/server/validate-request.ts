import { type ProblemError, suggest } from "@flow-run/spec";
import { z } from "zod";
import { pointerOf } from "./json-pointer.ts";
import { RequestRefusal } from "./request-refusal.ts";

/** Checks a part of a request against its Zod schema; nothing is coerced that the schema does not coerce itself. */
export function validateRequest(schema: z.ZodType, httpPart: string | undefined): (data: unknown) => { value: unknown } | { error: Error } {
  return (data) => {
    if (httpPart === "querystring") {
      const refusal = refuseControlCharacters(data);
      if (refusal !== null) return { error: refusal };
    }
    const inBody = httpPart === "body";
    // Fastify says null where no body was sent.
    const read = schema.safeParse(inBody && data === null ? undefined : data);
    if (read.success) return { value: read.data };
    const errors = read.error.issues.flatMap((issue) => toErrors(issue, schema, inBody));
    return {
      error: inBody
        ? new RequestRefusal("invalid-input", `The body does not fit: ${summary(errors)}.`, { errors })
        : new RequestRefusal("malformed-request", `The ${httpPart === "params" ? "path" : "query"} does not fit: ${summary(errors)}.`, {
            errors,
          }),
    };
  };
}

function toErrors(issue: z.core.$ZodIssue, schema: z.ZodType, inBody: boolean): ProblemError[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = suggest(key, fieldsOf(schema));
      return { detail: `unknown field${near === undefined ? "" : `; did you mean "${near}"?`}`, pointer: pointerOf([...issue.path, key]) };
    });
  }
  const detail = issue.message;
  return [inBody ? { detail, pointer: pointerOf(issue.path) } : { detail, parameter: String(issue.path[0] ?? "") }];
}

function fieldsOf(schema: z.ZodType): string[] {
  const inner = schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema;
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function summary(errors: readonly ProblemError[]): string {
  const [first] = errors;
  if (first === undefined) return "it is not what the API describes";
  const place = first.pointer ?? first.parameter;
  return `${place ? `${place}: ` : ""}${first.detail}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`;
}

/** No name or cursor holds one, and a database takes U+0000 as an error. */
function refuseControlCharacters(query: unknown): RequestRefusal | null {
  for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
    for (const text of Array.isArray(value) ? value : [value]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      if (typeof text === "string" && (/[\u0000-\u001f\u007f]/.test(text) || !text.isWellFormed())) {
        return new RequestRefusal("malformed-request", "The query contains a control character.", {
          errors: [{ detail: "contains a control character", parameter: pointerOf([name]).slice(1) }],
        });
      }
    }
  }
  return null;
}
