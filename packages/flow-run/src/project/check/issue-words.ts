import type { Json } from "@flow-run/spec";
import type { z } from "zod";

type Issue = z.core.$ZodIssue;

const KIND_WORDS: { [kind: string]: string } = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
  tuple: "a list",
  null: "null",
};

/** What a value should be, in words; `issue` is one about the value itself. */
export function expectedWords(issue: Issue): string | undefined {
  if (issue.code === "invalid_type") return KIND_WORDS[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_value") return `${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
  return undefined;
}

/** What is wrong with a value, without its place. `value` is what stands there. */
export function issueMessage(issue: Issue, value: Json | undefined): string {
  switch (issue.code) {
    case "invalid_type":
    case "invalid_value":
      return `must be ${expectedWords(issue)}, not ${describeValue(value)}`;
    case "too_small":
    case "too_big": {
      const [bound, word] = issue.code === "too_small" ? [issue.minimum, "at least"] : [issue.maximum, "at most"];
      const limit = issue.inclusive === false ? `${issue.code === "too_small" ? "more than" : "less than"} ${bound}` : `${word} ${bound}`;
      if (issue.origin === "string")
        return Number(bound) === 1 && issue.code === "too_small" ? "must not be empty" : `must have ${limit} characters`;
      if (issue.origin === "array") return `must have ${limit} ${Number(bound) === 1 ? "entry" : "entries"}`;
      return `must be ${limit}`;
    }
    default:
      return issue.message;
  }
}

/** What to do about it, where the value tells what was meant. `source` is the scalar as it stands in the file. */
export function issueHint(issue: Issue, value: Json | undefined, source: string | undefined): string | undefined {
  if (issue.code !== "invalid_type") return undefined;
  const { expected } = issue;
  if (expected === "string" && (typeof value === "number" || typeof value === "boolean")) {
    const written = source ?? String(value);
    const read = written === String(value) ? "" : `; YAML reads ${written} as ${value}`;
    return `write '${written}' in quotes${read}`;
  }
  if (expected === "boolean" && typeof value === "string" && /^(yes|no|on|off|y|n|true|false)$/i.test(value)) {
    return `write ${/^(yes|on|y|true)$/i.test(value) ? "true" : "false"}${/^(true|false)$/i.test(value) ? " without quotes" : ""}`;
  }
  if (["number", "int"].includes(expected) && typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value))) {
    return `write ${value.trim()} without quotes`;
  }
  if (expected === "array" && value !== null && typeof value !== "object") return `write [${value}]`;
  return undefined;
}

function describeValue(value: Json | undefined): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  const text = JSON.stringify(value);
  return typeof value === "string" && text.length > 60 ? "this text" : text;
}
