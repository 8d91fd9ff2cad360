import type { Diagnostic } from "@flow-run/spec";
import Handlebars from "handlebars";
import { templateExcess } from "./template-limits.ts";
import type { TemplateLocation, TemplateText } from "./template-text.ts";

/** Handlebars source → syntax tree, or one diagnostic: after the first mistake the rest is guesswork. */
export function parseTemplate(template: TemplateText): { program: hbs.AST.Program | null; diagnostics: Diagnostic[] } {
  const excess = templateExcess(template.text);
  if (excess !== undefined) {
    const hint = "move text into the input, or split the prompt into several";
    return { program: null, diagnostics: [template.diagnostic("error", "too-big", template.location(0, 0), excess, hint)] };
  }
  try {
    // Blanks around tags, which processing would strip, do not matter to those who only look.
    return { program: Handlebars.parseWithoutProcessing(template.text), diagnostics: [] };
  } catch (error) {
    return { program: null, diagnostics: [syntaxDiagnostic(template, error)] };
  }
}

interface Thrown {
  message?: string;
  lineNumber?: number;
  endLineNumber?: number;
  column?: number;
  endColumn?: number;
}

function syntaxDiagnostic(template: TemplateText, error: unknown): Diagnostic {
  const thrown = error as Thrown;
  const message = thrown.message ?? String(error);
  if (thrown.lineNumber !== undefined) {
    const start = { line: thrown.lineNumber, column: thrown.column ?? 0 };
    const end = { line: thrown.endLineNumber ?? start.line, column: thrown.endColumn ?? start.column };
    return template.diagnostic("error", "syntax", { start, end }, nodeMessage(message), "a block is closed by the name that opened it");
  }
  const offset = errorOffset(template.text, message);
  const got = /got '(\w+)'$/.exec(message)?.[1];
  const unclosed = got === "EOF" || got === "OPEN_ENDBLOCK" ? unclosedBlock(template) : undefined;
  if (unclosed !== undefined && got === "EOF") {
    return template.diagnostic(
      "error",
      "syntax",
      unclosed.location,
      `the block {{#${unclosed.name}}} is never closed`,
      `write {{/${unclosed.name}}} where it ends`,
    );
  }
  return template.diagnostic("error", "syntax", template.location(offset, 1), tokenMessage(template.text, offset, got), tokenHint(got));
}

/** `if doesn't match each - 3:5` → without the place, which counts from the body. */
function nodeMessage(message: string): string {
  const text = message.replace(/ - \d+:\d+$/, "");
  const names = /^(\S+) doesn't match (\S+)$/.exec(text);
  return names ? `the block {{#${names[1]}}} is closed by {{/${names[2]}}}` : text;
}

function tokenMessage(text: string, offset: number, got: string | undefined): string {
  const rest = text.slice(offset);
  switch (got) {
    case "OPEN_ENDBLOCK":
      return "there is no open block to close here";
    case "INVERSE":
    case "OPEN_INVERSE_CHAIN":
      return "there is no open block that this {{else}} could belong to";
    case "CLOSE":
    case "CLOSE_UNESCAPED":
      return "something is missing before }}";
    default:
      if (/^["']/.test(rest)) return `the text that begins here is never closed by ${rest[0]}`;
      if (!rest.includes("}}")) return "the template ends in the middle of {{ … }}";
      return `unexpected ${JSON.stringify(/^(?:\w+|[^\w\s]|\s)/.exec(rest)?.[0])} in {{ … }}`;
  }
}

function tokenHint(got: string | undefined): string {
  if (got === "OPEN_ENDBLOCK") return "remove it, or open the block with {{#name}}";
  if (got === "CLOSE" || got === "CLOSE_UNESCAPED") return "write a variable, for example {{ticket}}; a {{{ needs }}}";
  return "for braces as text write \\{{";
}

/** The parser tells the place only as a picture, `…text\n----^`: the offset whose picture is the same is the place. */
function errorOffset(text: string, message: string): number {
  const [first, picture, pointer] = message.split("\n");
  const line = Number(/on line (\d+)/.exec(first ?? "")?.[1] ?? 1);
  if (picture === undefined || pointer === undefined) return 0;
  const past = picture.slice(0, pointer.length - 1);
  let end = 0;
  for (let lines = 0; lines < line && end !== -1; lines += 1) end = text.indexOf("\n", end) + 1 || -1;
  for (let offset = end === -1 ? text.length : end; offset >= 0; offset -= 1) {
    const before = (offset > 20 ? "..." : "") + text.slice(Math.max(0, offset - 20), offset).replace(/\n/g, "");
    const after = text.slice(offset, offset + 20).replace(/\n/g, "");
    if (before === past && picture.startsWith(before + after)) return offset;
  }
  return text.length;
}

/** The innermost block that is open at the end. */
function unclosedBlock(template: TemplateText): { name: string; location: TemplateLocation } | undefined {
  const open: { name: string; offset: number; length: number }[] = [];
  const tags = /\{\{!--[\s\S]*?--~?\}\}|\{\{~?(?:(#[>*]?|\^)\s*([^\s}~|]+)|\/\s*([^\s}~]+))/g;
  for (const tag of template.text.matchAll(tags)) {
    if (tag[2] !== undefined && template.text[tag.index - 1] !== "\\")
      open.push({ name: tag[2], offset: tag.index, length: tag[0].length });
    else if (tag[3] !== undefined) open.pop();
  }
  const last = open.at(-1);
  return last && { name: last.name, location: template.location(last.offset, last.length) };
}
