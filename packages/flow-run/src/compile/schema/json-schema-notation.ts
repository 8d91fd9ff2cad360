import { type Json, type JsonSchema, suggest } from "@flow-run/spec";
import { draftOf } from "./drafts.ts";
import { KEYWORD_SHAPES, type KeywordShape, TYPES } from "./json-schema-keywords.ts";
import { compilePattern } from "./patterns.ts";
import type { SchemaProblem } from "./schema-notation-error.ts";

export const MAX_SCHEMA_DEPTH = 100;
export const MAX_SCHEMA_NODES = 20_000;

type Path = (string | number)[];

/**
 * Whether a notation is JSON Schema rather than Picoschema. By the Dotprompt specification: `type` names a JSON type, or `properties`
 * is an object. Beyond it: what Picoschema could not mean, such as a list under `anyOf` or a `$ref` to a place in the schema.
 */
export function isJsonSchemaNotation(notation: Json): notation is JsonSchema {
  if (typeof notation === "boolean") return true;
  if (typeof notation !== "object" || notation === null || Array.isArray(notation)) return false;
  const { type, properties, $ref, $schema } = notation;
  if (typeof type === "string" && (type === "any" || TYPES.includes(type))) return true;
  if (typeof properties === "object" && properties !== null && !Array.isArray(properties)) return true;
  if (["type", "enum", "anyOf", "oneOf", "allOf", "examples"].some((keyword) => Array.isArray(notation[keyword]))) return true;
  return (typeof $ref === "string" && $ref.startsWith("#")) || (typeof $schema === "string" && $schema.includes("json-schema.org"));
}

/** A JSON Schema as written (root `type: any` dropped, `type: object` added to bare `properties`) and what is wrong with it. */
export function jsonSchemaProblems(notation: JsonSchema): { schema: JsonSchema; problems: SchemaProblem[] } {
  if (typeof notation === "boolean") return { schema: notation, problems: [] };
  const { type, ...others } = notation;
  let schema: JsonSchema = notation;
  if (type === "any") schema = others;
  else if (type === undefined && typeof notation.properties === "object") schema = { type: "object", ...notation };
  const walk = new Walk(schema);
  walk.schema(schema, []);
  return { schema, problems: walk.problems };
}

class Walk {
  readonly problems: SchemaProblem[] = [];
  private readonly root: Json;
  private nodes = 0;

  constructor(root: Json) {
    this.root = root;
  }

  schema(schema: Json | undefined, path: Path): void {
    if (typeof schema === "boolean") return;
    this.nodes += 1;
    if (this.nodes > MAX_SCHEMA_NODES) {
      if (this.nodes === MAX_SCHEMA_NODES + 1) this.report([], `the schema has more than ${MAX_SCHEMA_NODES} parts`);
      return;
    }
    if (path.length > MAX_SCHEMA_DEPTH) {
      this.report(path, `a schema may be nested at most ${MAX_SCHEMA_DEPTH} deep`);
    } else if (!isObject(schema)) {
      const hint = typeof schema === "string" ? `inside JSON Schema write { type: ${schema.split(",")[0]} }` : undefined;
      this.report(path, `${describe(schema)} is not a JSON Schema`, hint);
    } else {
      for (const [keyword, value] of Object.entries(schema)) this.keyword(keyword, value, schema, path);
    }
  }

  private keyword(keyword: string, value: Json, schema: { [keyword: string]: Json }, parent: Path): void {
    const path = [...parent, keyword];
    const shape = KEYWORD_SHAPES.get(keyword);
    if (shape === undefined) this.unknownKeyword(keyword, value, schema, path);
    else if (keyword === "$schema") this.draft(value, path);
    else if (keyword === "items" && Array.isArray(value)) this.itemList(value, path);
    else this.value(keyword, shape, value, path);
  }

  private unknownKeyword(keyword: string, value: Json, schema: { [keyword: string]: Json }, path: Path): void {
    const near = suggest(keyword, KEYWORD_SHAPES.keys());
    if (keyword === "__proto__") this.report(path, "a keyword may not be called __proto__");
    else if (path.length === 1 && typeof schema.type === "string" && looksLikeField(keyword, value)) {
      this.report(
        path,
        `${JSON.stringify(keyword)} is not a keyword of JSON Schema, and \`type: ${schema.type}\` beside it makes this JSON Schema`,
        "a field that is called type can be declared only under properties of a JSON Schema",
      );
    } else if (near !== undefined)
      this.report(path, `${JSON.stringify(keyword)} is not a keyword of JSON Schema`, `did you mean "${near}"?`);
  }

  private value(keyword: string, shape: KeywordShape, value: Json, path: Path): void {
    if (shape === "schema") this.schema(value, path);
    else if (shape === "schema-list") this.schemaList(value, path);
    else if (shape === "schema-map" || shape === "pattern-map") this.schemaMap(value, path, shape === "pattern-map");
    else if (shape === "type") this.type(value, path);
    else if (shape === "pattern") this.pattern(value, path);
    else if (shape === "reference") this.reference(value, path);
    else if (!SHAPE_TESTS[shape](value)) this.report(path, `${keyword} must be ${SHAPE_WORDS[shape]}, not ${describe(value)}`);
  }

  private draft(value: Json, path: Path): void {
    if (draftOf(value) !== undefined) return;
    this.report(
      path,
      `the JSON Schema draft ${JSON.stringify(value)} is not supported`,
      "use https://json-schema.org/draft/2020-12/schema",
    );
  }

  private itemList(value: Json[], path: Path): void {
    const $schema = isObject(this.root) ? this.root.$schema : undefined;
    if (draftOf($schema) === "2020-12")
      this.report(path, "items must be one schema in JSON Schema 2020-12", "write prefixItems for a list of schemas");
    this.schemaList(value, path);
  }

  private schemaList(value: Json, path: Path): void {
    if (!Array.isArray(value) || value.length === 0) this.report(path, `${path.at(-1)} must be a list of schemas`);
    else for (const [index, schema] of value.entries()) this.schema(schema, [...path, index]);
  }

  private schemaMap(value: Json, path: Path, patterns: boolean): void {
    if (!isObject(value)) {
      this.report(path, `${path.at(-1)} must be a map of names to schemas, not ${describe(value)}`);
      return;
    }
    for (const [name, schema] of Object.entries(value)) {
      const entry = [...path, name];
      if (name === "__proto__") this.report(entry, "a property may not be called __proto__");
      else if (patterns) this.pattern(name, entry);
      this.schema(schema, entry);
    }
  }

  private type(value: Json, path: Path): void {
    for (const type of Array.isArray(value) ? value : [value]) {
      if (typeof type === "string" && TYPES.includes(type)) continue;
      const near = typeof type === "string" ? suggest(type, TYPES) : undefined;
      const hint =
        type === null
          ? 'write "null" in quotes'
          : type === "any"
            ? "leave type out to accept anything"
            : `the types are ${TYPES.join(", ")}`;
      this.report(path, `unknown type ${JSON.stringify(type)}`, near === undefined ? hint : `did you mean "${near}"?`);
    }
  }

  private pattern(value: Json, path: Path): void {
    if (typeof value !== "string") {
      this.report(path, `pattern must be text, not ${describe(value)}`);
      return;
    }
    try {
      compilePattern(value);
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
      this.report(path, `the pattern cannot be used: ${reason}`, "patterns follow RE2: no lookahead, lookbehind or back references");
    }
  }

  private reference(value: Json, path: Path): void {
    const own = isObject(this.root) && typeof this.root.$id === "string" ? this.root.$id : undefined;
    if (typeof value !== "string") this.report(path, `a reference must be text, not ${describe(value)}`);
    else if (!value.startsWith("#") && (own === undefined || !value.startsWith(own))) {
      this.report(
        path,
        `the reference ${JSON.stringify(value)} leads out of this schema`,
        "put the schema under $defs and write #/$defs/NAME",
      );
    } else if (value.includes("#/") && resolvePointer(this.root, value.slice(value.indexOf("#") + 1)) === undefined) {
      const names = isObject(this.root) && isObject(this.root.$defs) ? Object.keys(this.root.$defs) : [];
      const near = suggest(value.split("/").at(-1) ?? "", names);
      this.report(
        path,
        `nothing stands at ${JSON.stringify(value)} in this schema`,
        near === undefined ? undefined : `did you mean "#/$defs/${near}"?`,
      );
    }
  }

  private report(path: Path, message: string, hint?: string): void {
    this.problems.push({ path, message, ...(hint === undefined ? {} : { hint }) });
  }
}

type PlainShape = Exclude<KeywordShape, "schema" | "schema-list" | "schema-map" | "pattern-map" | "type" | "pattern" | "reference">;

const SHAPE_TESTS: { [shape in PlainShape]: (value: Json) => boolean } = {
  list: Array.isArray,
  strings: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  number: (value) => typeof value === "number",
  count: (value) => typeof value === "number" && Number.isInteger(value) && value >= 0,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  anything: () => true,
};

const SHAPE_WORDS: { [shape in PlainShape]: string } = {
  list: "a list",
  strings: "a list of names",
  number: "a number",
  count: "a whole number from 0",
  string: "text",
  boolean: "true or false",
  anything: "anything",
};

function looksLikeField(keyword: string, value: Json): boolean {
  if (keyword.startsWith("x-")) return false;
  return keyword.includes("(") || (typeof value === "string" && /^(any|boolean|integer|null|number|string) *(,|$)/.test(value));
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: Json | undefined): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "a map";
  return value === null || value === undefined ? "nothing" : JSON.stringify(value);
}

function resolvePointer(root: Json, pointer: string): Json | undefined {
  let found: Json | undefined = root;
  for (const segment of pointer.split("/").slice(1)) {
    const name = decodePointerSegment(segment);
    if (Array.isArray(found)) found = found[Number(name)];
    else if (isObject(found) && Object.hasOwn(found, name)) found = found[name];
    else return undefined;
  }
  return found;
}

function decodePointerSegment(segment: string): string {
  const unescaped = segment.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(unescaped);
  } catch {
    return unescaped;
  }
}
