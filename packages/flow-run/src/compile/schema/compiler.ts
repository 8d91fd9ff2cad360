import { FlowRunError, type JsonSchema } from "@flow-run/spec";
import { Ajv, type Options, type ValidateFunction } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { type Draft, draftOf } from "./drafts.ts";
import { compilePattern } from "./patterns.ts";
import { prepareSchema } from "./prepare-schema.ts";

/** `quick` stops at the first error, `thorough` finds all, `filling` writes defaults into the value. */
export type CheckMode = "quick" | "thorough" | "filling";

export interface Compiler {
  compile(schema: JsonSchema, mode: CheckMode): ValidateFunction;
}

const AJV_CLASSES: { [draft in Draft]: new (options: Options) => Ajv } = { "2020-12": Ajv2020, "2019-09": Ajv2019, "07": Ajv };

/** The one place that knows ajv. An instance costs milliseconds and is made on first use, for each draft and mode. */
export function createCompiler(): Compiler {
  const instances = new Map<string, Ajv>();
  return {
    compile(schema, mode) {
      const $schema = typeof schema === "object" ? schema.$schema : undefined;
      const draft = draftOf($schema);
      if (draft === undefined) {
        throw new FlowRunError("invalid-schema", `The JSON Schema draft ${JSON.stringify($schema)} is not supported; use 2020-12.`);
      }
      const key = `${draft} ${mode}`;
      const ajv = instances.get(key) ?? createAjv(draft, mode);
      instances.set(key, ajv);
      const prepared = prepareSchema(schema);
      try {
        return ajv.compile(prepared);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new FlowRunError("invalid-schema", `A JSON Schema cannot be used: ${reason}. Correct it and run flow-run validate.`, {
          cause: error,
        });
      } finally {
        // The instance would keep every schema that it ever saw.
        if (typeof prepared === "object") ajv.removeSchema(prepared);
      }
    },
  };
}

function createAjv(draft: Draft, mode: CheckMode): Ajv {
  const ajv = new AJV_CLASSES[draft]({
    allErrors: mode !== "quick",
    useDefaults: mode === "filling",
    verbose: true,
    strict: false,
    // Else `required: [toString]` would find what every object inherits.
    ownProperties: true,
    allowUnionTypes: true,
    logger: false,
    // Named by its source: the library tells patterns of one schema apart by what `toString` gives.
    code: {
      regExp: Object.assign((source: string) => ({ ...compilePattern(source), toString: () => source }), { code: "compilePattern" }),
    },
  });
  ajvFormats.default(ajv);
  // The library's expressions for these two take quadratic time, or run the author's pattern in JavaScript's engine.
  ajv.addFormat("url", (text: string) => /^(https?|ftp):/i.test(text) && URL.canParse(text));
  ajv.addFormat("regex", isPattern);
  // The library compares each pair of items.
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({ keyword: "uniqueItems", type: "array", schemaType: "boolean", validate: hasUniqueItems });
  return ajv;
}

function isPattern(text: string): boolean {
  try {
    compilePattern(text);
    return true;
  } catch {
    return false;
  }
}

function hasUniqueItems(wanted: boolean, items: unknown[]): boolean {
  return !wanted || new Set(items.map((item) => JSON.stringify(sortKeys(item)))).size === items.length;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}
