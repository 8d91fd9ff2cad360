import { isScalar } from "yaml";
import type { CompiledHttpStep } from "../../bundle.ts";
import { schemaType } from "../../expression/schema-type.ts";
import { anyType, type Field, integerType, mapOf, stringType } from "../../expression/type.ts";
import { optional } from "../../expression/type-view.ts";
import { compileValue } from "../compile-value.ts";
import type { YamlEntry } from "../source-report.ts";
import type { ActionScope, CompiledAction } from "./step-environment.ts";

type HttpFields = Pick<CompiledHttpStep, "kind" | "method" | "url" | "headers" | "body" | "output">;

/** `http: { method, url, headers, body, output }`. The only step that sees `secrets`. */
export function compileHttp(http: YamlEntry, { withSecrets, context }: ActionScope): CompiledAction<HttpFields> {
  const entries = new Map(context.report.entries(http.value).map((entry) => [entry.name, entry]));
  const compile = (name: string, wanted: Parameters<typeof compileValue>[1]) => {
    const entry = entries.get(name);
    return entry && compileValue(entry.value, wanted, withSecrets, context, entry.key).value;
  };
  const method = entries.get("method")?.value;
  const url = compile("url", stringType) ?? { literal: "" };
  const headers = compile("headers", mapOf(stringType));
  const body = compile("body", optional(anyType));
  const declared = entries.get("output")?.value;
  const output = declared ? context.schema(declared) : undefined;
  return {
    fields: {
      kind: "http",
      method: isScalar(method) ? String(method.value) : body === undefined ? "GET" : "POST",
      url,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      ...(output === undefined ? {} : { output }),
    },
    output: {
      kind: "object",
      rest: "closed",
      fields: new Map<string, Field>([
        ["status", { type: integerType, optional: false }],
        ["headers", { type: mapOf(stringType), optional: false }],
        ["body", { type: output === undefined ? anyType : schemaType(output, "read"), optional: false }],
      ]),
    },
  };
}
