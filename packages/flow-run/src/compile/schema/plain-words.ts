import { suggest } from "@flow-run/spec";
import type { ErrorObject } from "ajv";

/** What is wrong with a value, for people and for models that are asked again. */
export interface ValueError {
  /** JSON Pointer (RFC 6901) to the part of the value; "" is the whole. */
  pointer: string;
  message: string;
}

const TYPE_WORDS: { [type: string]: string } = {
  string: "a string",
  number: "a number",
  integer: "an integer",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  null: "null",
};

const FORMAT_WORDS: { [format: string]: string } = {
  email: "an email address",
  date: "a date such as 2026-01-31",
  time: "a time such as 13:45:00Z",
  "date-time": "a date and time such as 2026-01-31T13:45:00Z",
  duration: "a duration such as P1DT2H",
  uri: "a URI such as https://example.com",
  url: "a URL such as https://example.com",
  uuid: "a UUID",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
  hostname: "a host name",
};

/** One message for each mistake; what ajv reports of branches that were not meant is left out. Needs errors made with `verbose`. */
export function plainErrors(errors: readonly ErrorObject[]): ValueError[] {
  const told = withoutBranches(errors);
  const unknown = told.filter(isUnknownProperty);
  const plain: ValueError[] = [];
  for (const error of told) {
    if (
      error.keyword === "required" &&
      unknown.some((other) => meant(other) === missingProperty(error) && other.instancePath === error.instancePath)
    ) {
      continue;
    }
    const pointer = isUnknownProperty(error) ? `${error.instancePath}/${escapePointer(unknownProperty(error))}` : error.instancePath;
    const message = inPlainWords(error);
    if (!plain.some((other) => other.pointer === pointer && other.message === message)) plain.push({ pointer, message });
  }
  return plain;
}

export function escapePointer(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Drops errors of `anyOf`/`oneOf` branches unless exactly one branch fits the kind of value; then its errors tell more than the summary. */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  let told: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword === "if") continue;
    if (error.keyword === "propertyNames" || error.keyword === "contains") {
      told = told.filter((other) => !other.schemaPath.startsWith(`${error.schemaPath.replace(/\/[^/]*$/, "")}/${error.keyword}/`));
    }
    if (error.keyword !== "anyOf" && error.keyword !== "oneOf") {
      told.push(error);
      continue;
    }
    const inBranches = told.filter((other) => isOfBranch(other, error));
    const others = told.filter((other) => !inBranches.includes(other));
    const fitting = fittingBranches(error, inBranches);
    told = fitting.length === 1 ? [...others, ...fitting[0]!] : [...others, error];
  }
  return told;
}

function isOfBranch(error: ErrorObject, summary: ErrorObject): boolean {
  if (error.instancePath !== summary.instancePath && !error.instancePath.startsWith(`${summary.instancePath}/`)) return false;
  // Errors of referenced schemas carry the path of the definition; those of keywords beside the summary begin as it does.
  const parent = summary.schemaPath.slice(0, -summary.keyword.length);
  if (!error.schemaPath.startsWith(parent)) return true;
  return [summary.keyword, "$defs", "definitions"].some((keyword) => error.schemaPath.startsWith(`${parent}${keyword}/`));
}

function fittingBranches(summary: ErrorObject, errors: readonly ErrorObject[]): ErrorObject[][] {
  const branches = Array.isArray(summary.schema) ? (summary.schema as unknown[]) : [];
  return branches
    .map((branch, index) => {
      const reference = (branch as { $ref?: string } | null)?.$ref;
      return errors.filter(
        (error) =>
          error.schemaPath.startsWith(`${summary.schemaPath}/${index}/`) ||
          (reference !== undefined && error.schemaPath.startsWith(`${reference}/`)),
      );
    })
    .filter((own) => own.length > 0 && !own.some((error) => error.instancePath === summary.instancePath && isKindError(error)));
}

function isKindError({ keyword }: ErrorObject): boolean {
  return keyword === "type" || keyword === "const" || keyword === "enum" || keyword === "false schema";
}

function inPlainWords(error: ErrorObject): string {
  const { keyword, params } = error as { keyword: string; params: Record<string, unknown> };
  switch (keyword) {
    case "type":
      return `must be ${alternatives([params.type].flat().map((type) => TYPE_WORDS[String(type)] ?? String(type)))}, not ${kindOf(error.data)}`;
    case "enum":
      return `must be one of ${(params.allowedValues as unknown[]).slice(0, 50).map(showValue).join(", ")}`;
    case "const":
      return `must be ${showValue(params.allowedValue)}`;
    case "required":
      return `must have the property ${quote(missingProperty(error))}`;
    case "additionalProperties":
    case "unevaluatedProperties": {
      const near = meant(error);
      return `unknown property ${quote(unknownProperty(error))}${near === undefined ? "" : `; did you mean ${quote(near)}?`}`;
    }
    case "propertyNames":
      return `may not have a property called ${quote(String(params.propertyName))}`;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return `must be ${{ "<=": "at most", ">=": "at least", "<": "less than", ">": "more than" }[String(params.comparison)]} ${params.limit}`;
    case "multipleOf":
      return `must be a multiple of ${params.multipleOf}`;
    case "minLength":
    case "maxLength":
      return `must have ${keyword === "minLength" ? "at least" : "at most"} ${count(params.limit, "character")}`;
    case "minItems":
    case "maxItems":
      return `must have ${keyword === "minItems" ? "at least" : "at most"} ${count(params.limit, "item")}`;
    case "minProperties":
    case "maxProperties":
      return `must have ${keyword === "minProperties" ? "at least" : "at most"} ${count(params.limit, "property")}`;
    case "uniqueItems":
      return "must not have equal items";
    case "pattern":
      return `must match the pattern ${params.pattern}`;
    case "format":
      return `must be ${FORMAT_WORDS[String(params.format)] ?? `of the format ${params.format}`}`;
    case "anyOf":
    case "oneOf":
      return branchesInWords(error);
    case "not":
      return "is a value that the schema excludes";
    case "false schema":
      return "must not be there";
    default:
      return error.message ?? `breaks the rule ${keyword}`;
  }
}

function branchesInWords(error: ErrorObject): string {
  if (Array.isArray((error.params as { passingSchemas?: unknown }).passingSchemas))
    return "must match exactly one of the allowed forms, but matches more";
  const words = (Array.isArray(error.schema) ? (error.schema as unknown[]) : []).map((branch) => {
    const {
      type,
      title,
      const: constant,
      enum: values,
    } = (typeof branch === "object" && branch !== null ? branch : {}) as Record<string, unknown>;
    if (constant !== undefined) return showValue(constant);
    if (Array.isArray(values)) return values.slice(0, 20).map(showValue).join(", ");
    if (typeof title === "string") return title;
    return typeof type === "string" ? TYPE_WORDS[type] : undefined;
  });
  const known = [...new Set(words)];
  return known.some((word) => word === undefined) || known.length < 2
    ? "matches none of the forms that the schema allows"
    : `must be ${alternatives(known as string[])} as the schema says, not ${kindOf(error.data)}`;
}

function isUnknownProperty(error: ErrorObject): boolean {
  return error.keyword === "additionalProperties" || error.keyword === "unevaluatedProperties";
}

function unknownProperty(error: ErrorObject): string {
  const { additionalProperty, unevaluatedProperty } = error.params as { additionalProperty?: string; unevaluatedProperty?: string };
  return additionalProperty ?? unevaluatedProperty ?? "";
}

function missingProperty(error: ErrorObject): string {
  return (error.params as { missingProperty: string }).missingProperty;
}

/** The declared property that an unknown one was meant to be; none that the value has already. */
function meant(error: ErrorObject): string | undefined {
  const declared = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
  const present = typeof error.data === "object" && error.data !== null ? error.data : {};
  return suggest(
    unknownProperty(error),
    declared.filter((name) => !Object.hasOwn(present, name)),
  );
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : `the number ${value}`;
  return typeof value === "object" ? "an object" : "a string";
}

function showValue(value: unknown): string {
  const text = typeof value === "string" && /^[\w .-]+$/.test(value) ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 79)}…` : name);
}

function alternatives(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function count(amount: unknown, thing: string): string {
  if (amount === 1) return `1 ${thing}`;
  return `${amount} ${thing.endsWith("y") ? `${thing.slice(0, -1)}ies` : `${thing}s`}`;
}
