import type { Json, JsonSchema } from "@flow-run/spec";
import { seededRandom } from "../seeded-random.ts";
import { quoteOf } from "../sentences.ts";
import type { PatternText } from "./draw-text.ts";
import { generateValue } from "./generate-value.ts";
import { NoValueError } from "./no-value-error.ts";

const MOST_CACHED_SCHEMAS = 500;
const DRAWS = 20;
const LONGEST_PROMPT_READ = 20_000;

/** Keywords that the generator heeds only in part: where a schema has one, every value is validated before it is used. */
const HARD =
  /"(?:pattern|not|if|oneOf|allOf|\$ref|\$dynamicRef|contains|dependent\w+|dependencies|patternProperties|propertyNames|m(?:in|ax)Properties|unevaluated\w+|uniqueItems|multipleOf)":|pattern: /;
/** A schema that wants very much of something is not given to the general generator, which would take it at its word. */
const VAST = /"min(?:Length|Items|Properties|Contains)":\d{5,}/;

/** Writes values for schemas. */
export interface ValueWriter {
  /** The same for the same schema, prompt and seed. Throws NoValueError when no value was found. */
  write(schema: JsonSchema, prompt: string, seed: string): Promise<Json>;
}

interface Tools {
  patternText: PatternText;
  isValid: (value: Json) => boolean;
  /** Another generator, for schemas at which ours fails; undefined when it fails too. */
  otherValue: (seed: number) => Json | undefined;
}

const NO_TOOLS: Tools = {
  patternText: () => {
    throw new NoValueError("no pattern was expected");
  },
  isValid: () => true,
  otherValue: () => undefined,
};

/** A writer with its own cache of compiled schemas. Loads a validator only once a schema needs it. */
export function createValueWriter(): ValueWriter {
  const cache = new Map<string, Promise<Tools>>();

  function toolsFor(schema: JsonSchema): Promise<Tools> | Tools {
    const text = JSON.stringify(schema);
    if (!HARD.test(text)) return NO_TOOLS;
    const cached = cache.get(text);
    if (cached) return cached;
    if (cache.size >= MOST_CACHED_SCHEMAS) cache.delete(cache.keys().next().value!);
    const tools = loadTools(schema, VAST.test(text));
    cache.set(text, tools);
    return tools;
  }

  return {
    async write(schema, prompt, seed) {
      const tools = await toolsFor(schema);
      const read = prompt.slice(0, LONGEST_PROMPT_READ);
      const context = { root: schema, quote: quoteOf(read), prompt: read.toLowerCase(), patternText: tools.patternText };
      for (let draw = 0; draw < DRAWS; draw++) {
        try {
          const value = generateValue(schema, { ...context, random: seededRandom(draw === 0 ? seed : `${seed}:${draw}`) });
          if (tools.isValid(value)) return value;
        } catch (error) {
          if (!(error instanceof NoValueError)) throw error;
          if (error.isFinal) break;
        }
      }
      const random = seededRandom(seed);
      for (let draw = 0; draw < DRAWS; draw++) {
        const value = tools.otherValue(random.integer(0, 2 ** 31));
        if (value !== undefined && tools.isValid(value)) return value;
      }
      throw new NoValueError("no value was found that fits the schema");
    },
  };
}

async function loadTools(schema: JsonSchema, vast: boolean): Promise<Tools> {
  const [{ generateSync }, { Ajv2020 }, { default: formats }] = await Promise.all([
    import("json-schema-faker"),
    import("ajv/dist/2020.js"),
    import("ajv-formats"),
  ]);
  const isValid = compileValidator();
  return {
    isValid,
    patternText(pattern, minLength, maxLength, seed) {
      const matcher = new RegExp(pattern, "u");
      for (let draw = 0; draw < DRAWS && maxLength > 0; draw++) {
        const text = generateSync(
          { type: "string", pattern, ...(minLength > 0 && minLength < 10_000 ? { minLength } : {}) },
          { seed: seed + draw },
        );
        if (typeof text === "string" && matcher.test(text) && text.length >= minLength && text.length <= maxLength) return text;
      }
      if (maxLength === 0 && matcher.test("")) return "";
      throw new NoValueError("no text was found for a pattern");
    },
    otherValue(seed) {
      if (vast) return undefined;
      try {
        return generateSync(schema, { seed, maxDefaultItems: 3, refDepthMax: 3, alwaysFakeOptionals: seed % 2 === 0 }) as Json | undefined;
      } catch {
        return undefined;
      }
    },
  };

  function compileValidator(): (value: Json) => boolean {
    const ajv = new Ajv2020({ strict: false, logger: false, validateSchema: false });
    (formats as unknown as typeof formats.default)(ajv);
    try {
      const { $id: _, $schema: __, ...rest } = typeof schema === "object" ? schema : {};
      return ajv.compile(typeof schema === "object" ? rest : schema) as (value: Json) => boolean;
    } catch {
      // A schema that no validator understands cannot be broken either.
      return () => true;
    }
  }
}
