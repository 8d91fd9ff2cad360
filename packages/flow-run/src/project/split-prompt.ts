import type { SourceFile } from "@flow-run/spec";

/** Where the parts of a `.prompt` file stand; offsets in its text. */
export interface SplitPrompt {
  /** Of the YAML between the `---` lines; absent without front matter. */
  frontMatter?: { start: number; end: number };
  /** The opening `---` has no closing one. */
  unclosed?: { start: number; end: number };
  body: string;
  bodyStart: number;
}

const FENCE = /^---[ \t]*$/;

/**
 * Splits front matter and body as Dotprompt does. Comment and blank lines before the first `---` (a licence header) are skipped; with
 * front matter the body loses blanks at both ends; a file without front matter is all body, as it is. Other than its reference
 * implementation, a file that ends right after the second `---` and one with nothing between the two have front matter, too.
 */
export function splitPrompt(file: SourceFile): SplitPrompt {
  const { text } = file;
  const open = openingFence(text);
  if (open === undefined) return { body: text, bodyStart: 0 };
  const start = Math.min(open.end + 1, text.length);
  const close = nextFence(text, start);
  if (close === undefined) return { unclosed: open, body: "", bodyStart: text.length };
  const rest = text.slice(close.end);
  const body = rest.trim();
  const bodyStart = body === "" ? text.length : close.end + rest.indexOf(body);
  return { frontMatter: { start, end: close.start }, body, bodyStart };
}

interface Line {
  start: number;
  end: number;
}

function openingFence(text: string): Line | undefined {
  for (const line of lines(text, 0)) {
    const content = text.slice(line.start, line.end);
    if (FENCE.test(content)) return line;
    if (content.trim() !== "" && !content.startsWith("#")) return undefined;
  }
  return undefined;
}

function nextFence(text: string, from: number): Line | undefined {
  for (const line of lines(text, from)) if (FENCE.test(text.slice(line.start, line.end))) return line;
  return undefined;
}

function* lines(text: string, from: number): Generator<Line> {
  for (let start = from; start < text.length; ) {
    const lineBreak = text.indexOf("\n", start);
    const end = lineBreak === -1 ? text.length : lineBreak;
    yield { start, end };
    start = end + 1;
  }
}
