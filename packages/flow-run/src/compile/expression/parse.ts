import type { ASTNode } from "@marcbachmann/cel-js";
import { Environment, ParseError } from "@marcbachmann/cel-js";
import type { Problem } from "./problem.ts";

/** A node of an expression's syntax tree. Read it, never write to it. */
export type Tree = ASTNode;

export const MAX_SOURCE_LENGTH = 10_000;

// Only the parser of this environment is used: types and values are ours.
const environment = new Environment({
  enableOptionalTypes: true,
  limits: { maxAstNodes: 4_000, maxDepth: 100, maxListElements: 1_000, maxMapEntries: 1_000, maxCallArguments: 32 },
});

/** Text to tree. `source` is what stands between `${{` and `}}`, without blanks around it. */
export function parseExpression(source: string): { tree: Tree } | { problem: Problem } {
  if (source === "") return { problem: { code: "syntax", message: "The expression is empty.", start: 0, end: 0 } };
  if (source.length > MAX_SOURCE_LENGTH) {
    const message = `The expression has ${source.length} characters; ${MAX_SOURCE_LENGTH} are allowed.`;
    return { problem: { code: "syntax", message, start: 0, end: source.length, hint: "split it over several set steps" } };
  }
  try {
    return { tree: environment.parse(source).ast };
  } catch (error) {
    if (error instanceof ParseError) return { problem: explain(error, source) };
    // Thousands of nested signs exhaust the parser's stack.
    if (error instanceof RangeError) {
      return { problem: { code: "syntax", message: "The expression is nested too deeply.", start: 0, end: source.length } };
    }
    throw error;
  }
}

/** The parser's message in our words. */
function explain(error: ParseError, source: string): Problem {
  const start = Math.min(error.range?.start ?? 0, source.length);
  const end = Math.min(Math.max(error.range?.end ?? start, start), source.length);
  const rest = source.slice(start);
  const word = /^\w+/.exec(rest)?.[0] ?? rest.slice(0, 1);
  const problem = (message: string, hint?: string, code = "syntax"): Problem => ({
    code,
    message,
    start,
    end,
    ...(hint === undefined ? {} : { hint }),
  });
  switch (error.code) {
    case "limit_exceeded":
      return problem("The expression is too large or nested too deeply.", "split it over several set steps");
    case "invalid_macro_argument":
      return problem("The first argument names the element.", "write it as a plain name: xs.map(x, x.name)", "wrong-arguments");
    case "invalid_number":
    case "invalid_integer":
    case "invalid_hex_integer":
      return problem("This number is too big.", undefined, "number-too-big");
    case "unterminated_string":
    case "unterminated_triple_quoted_string":
      return problem("This text has no closing quote.");
    case "newline_in_string":
      return problem("A text in quotes ends on its own line.", 'write \\n for a line break, or use """ … """');
    case "reserved_identifier":
      return problem(`"${word}" is a reserved word.`, `for a field of that name write a["${word}"]`);
  }
  if (rest === "") return problem("The expression ends too early.");
  const before = source.slice(0, start).trimEnd();
  if (/^(and|or|not)\b/.test(rest)) {
    return problem(`"${word}" is not an operator.`, `write ${{ and: "&&", or: "||", not: "!" }[word as "and"]} instead`);
  }
  if (rest.startsWith("=")) return problem('"=" is not an operator.', 'write "==" to compare');
  if (/^[&|]/.test(rest)) return problem(`"${rest[0]}" is not an operator.`, `write "${rest[0]}${rest[0]}"`);
  if (before.endsWith(".") && /^(in|null|true|false)\b/.test(rest)) {
    return problem(`"${word}" cannot stand after a dot.`, `write ["${word}"] instead of .${word}`);
  }
  if (rest.startsWith("`") || (rest.codePointAt(0) ?? 0) > 127) {
    return problem("Names have letters without accents, digits and _.", 'write a["name"] for any other name');
  }
  const found = end > start ? source.slice(start, end) : rest.slice(0, 1);
  return problem(`"${found}" does not belong here.`);
}
