/** Text, or the source of an expression without blanks around it. `start` and `end` are offsets in the template's text. */
export type TemplatePart =
  | { kind: "text"; text: string }
  | { kind: "expression"; source: string; start: number; end: number; outerStart: number; outerEnd: number };

export interface Template {
  parts: TemplatePart[];
  /** Offset of a `${{` that has no `}}`. */
  unclosed?: number;
}

const OPEN = "${{";

/**
 * Splits text at its `${{ … }}`. An expression ends at the first `}}` outside a string, a comment and inner braces; `$${{` is a literal `${{`.
 */
export function splitTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  let pending = "";
  let position = 0;
  const flush = () => {
    if (pending !== "") parts.push({ kind: "text", text: pending });
    pending = "";
  };
  while (true) {
    const open = text.indexOf(OPEN, position);
    if (open === -1) break;
    if (open > position && text[open - 1] === "$") {
      pending += text.slice(position, open - 1) + OPEN;
      position = open + OPEN.length;
      continue;
    }
    const close = findClose(text, open + OPEN.length);
    if (close === -1) {
      pending += text.slice(position);
      flush();
      return { parts, unclosed: open };
    }
    pending += text.slice(position, open);
    flush();
    const inner = text.slice(open + OPEN.length, close);
    const source = inner.trim();
    const start = open + OPEN.length + (source === "" ? 0 : inner.length - inner.trimStart().length);
    parts.push({ kind: "expression", source, start, end: start + source.length, outerStart: open, outerEnd: close + 2 });
    position = close + 2;
  }
  pending += text.slice(position);
  flush();
  return { parts };
}

/** The one expression of a template that has nothing but blanks around it; such a template keeps the expression's type. */
export function soleExpression(template: Template): Extract<TemplatePart, { kind: "expression" }> | undefined {
  if (template.unclosed !== undefined) return undefined;
  const solid = template.parts.filter((part) => part.kind === "expression" || part.text.trim() !== "");
  const [only] = solid;
  return solid.length === 1 && only!.kind === "expression" ? only : undefined;
}

/** Offset of the `}}` that ends the expression beginning at `from`, -1 if there is none. */
function findClose(text: string, from: number): number {
  let depth = 0;
  let i = from;
  while (i < text.length) {
    const c = text[i]!;
    if (c === '"' || c === "'") {
      i = skipString(text, i);
    } else if (c === "/" && text[i + 1] === "/") {
      const end = text.indexOf("\n", i);
      i = end === -1 ? text.length : end;
    } else if (c === "{") {
      depth++;
      i++;
    } else if (c === "}") {
      if (depth > 0) depth--;
      else if (text[i + 1] === "}") return i;
      i++;
    } else {
      i++;
    }
  }
  return -1;
}

/** Offset after the string that begins at `start`. A backslash hides a quote in raw strings too: that is how the lexer reads them. */
function skipString(text: string, start: number): number {
  const quote = text[start]!;
  const triple = text.startsWith(quote.repeat(3), start);
  const end = triple ? quote.repeat(3) : quote;
  let i = start + end.length;
  while (i < text.length) {
    if (text[i] === "\\") i += 2;
    else if (text.startsWith(end, i)) return i + end.length;
    else i++;
  }
  return text.length;
}
