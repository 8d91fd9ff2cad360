/** UTF-16 units of one template. */
export const MAX_TEMPLATE_LENGTH = 1_000_000;
export const MAX_TEMPLATE_TAGS = 10_000;
/** Blocks inside blocks, an `else if` counting as one; and parentheses inside parentheses. */
export const MAX_TEMPLATE_NESTING = 100;

/**
 * Why a template is refused before it is parsed; undefined when it is not. Handlebars' parser takes time that grows with the cube of the
 * nesting: 20,000 blocks inside each other, 300 kB, keep it busy for minutes.
 */
export function templateExcess(text: string): string | undefined {
  if (text.length > MAX_TEMPLATE_LENGTH) return `the template is longer than ${MAX_TEMPLATE_LENGTH.toLocaleString("en")} characters`;
  const tooDeep = `blocks or parentheses are nested more than ${MAX_TEMPLATE_NESTING} deep`;
  const open: number[] = [];
  let tags = 0;
  let depth = 0;
  for (const { 0: tag, index } of text.matchAll(/\{\{[\s\S]*?(?:\}\}|$)/g)) {
    tags += 1;
    if (tags > MAX_TEMPLATE_TAGS) return `the template has more than ${MAX_TEMPLATE_TAGS.toLocaleString("en")} tags`;
    const kind = /^\{\{~?\s*(!|[#^](?=\s*[^\s}])|\/|else\s+[^\s}])?/.exec(tag)?.[1];
    if (kind === "!" || text[index - 1] === "\\") continue;
    if (parentheses(tag) > MAX_TEMPLATE_NESTING) return tooDeep;
    if (kind === "#" || kind === "^") open.push(1);
    else if (kind === "/") depth -= open.pop() ?? 0;
    else if (kind !== undefined && open.length > 0) open[open.length - 1]! += 1;
    if (kind !== undefined && kind !== "/") depth += 1;
    if (depth > MAX_TEMPLATE_NESTING) return tooDeep;
  }
  return undefined;
}

function parentheses(tag: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [character] of tag.matchAll(/[()]/g)) {
    depth += character === "(" ? 1 : -1;
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}
