import type { Scalar } from "yaml";

/**
 * File offsets of the characters of a YAML scalar's value, one more for its end. The scalar is decoded a second time; should that not give what the
 * parser said, every character is placed at the scalar's start. Offsets count from where the YAML text begins.
 */
export function scalarMap(node: Scalar, text: string): ArrayLike<number> {
  const value = String(node.value);
  const [start, end] = node.range ?? [0, 0];
  const raw = text.slice(start, end);
  const decoded = decode(node, value, raw);
  if (decoded === undefined || decoded.length !== value.length + 1) return new Array(value.length + 1).fill(start);
  return decoded.map((offset) => start + offset);
}

function decode(node: Scalar, value: string, raw: string): number[] | undefined {
  switch (node.type) {
    case "PLAIN":
      return raw === value ? count(value.length) : decodeFlow(raw, value, undefined);
    case "QUOTE_SINGLE":
    case "QUOTE_DOUBLE":
      return decodeFlow(raw, value, raw[0] as "'" | '"');
    case "BLOCK_LITERAL":
    case "BLOCK_FOLDED":
      return decodeBlock(raw, value);
    default:
      return undefined;
  }
}

function count(length: number): number[] {
  return Array.from({ length: length + 1 }, (_, index) => index);
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["0", "\0"],
  ["a", "\x07"],
  ["b", "\b"],
  ["e", "\x1b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["N", "\x85"],
  ["_", "\xa0"],
  ["L", "\u2028"],
  ["P", "\u2029"],
  [" ", " "],
  ['"', '"'],
  ["/", "/"],
  ["\\", "\\"],
  ["\t", "\t"],
]);
const HEX_LENGTH: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/** A plain or quoted scalar: escapes, doubled quotes, folded lines. */
function decodeFlow(raw: string, value: string, quote: "'" | '"' | undefined): number[] | undefined {
  const offsets: number[] = [];
  let decoded = "";
  const add = (piece: string, offset: number) => {
    for (let k = 0; k < piece.length; k++) offsets.push(offset);
    decoded += piece;
  };
  // Blanks before a line break do not count, except those that an escape wrote.
  let solid = 0;
  let i = quote ? 1 : 0;
  const end = quote ? raw.length - 1 : raw.length;
  while (i < end) {
    const c = raw[i]!;
    if (c === "\n" || (c === "\r" && raw[i + 1] === "\n")) {
      decoded = decoded.slice(0, trimmedLength(decoded, solid));
      offsets.length = decoded.length;
      const fold = readFold(raw, i, end);
      add(fold.breaks === 1 ? " " : "\n".repeat(fold.breaks - 1), i);
      i = fold.next;
      solid = decoded.length;
    } else if (quote === "'" && c === "'" && raw[i + 1] === "'") {
      add("'", i);
      i += 2;
      solid = decoded.length;
    } else if (quote === '"' && c === "\\") {
      const next = raw[i + 1]!;
      const breakLength = next === "\n" ? 1 : next === "\r" && raw[i + 2] === "\n" ? 2 : 0;
      if (breakLength > 0) {
        // The line goes on without a blank; empty lines after it still count.
        const fold = readFold(raw, i + 1, end);
        add("\n".repeat(fold.breaks - 1), i);
        i = fold.next;
      } else if (HEX_LENGTH.has(next)) {
        const length = HEX_LENGTH.get(next)!;
        const code = Number.parseInt(raw.slice(i + 2, i + 2 + length), 16);
        if (Number.isNaN(code) || code > 0x10ffff) return undefined;
        add(String.fromCodePoint(code), i);
        i += 2 + length;
      } else {
        const plain = ESCAPES.get(next);
        if (plain === undefined) return undefined;
        add(plain, i);
        i += 2;
      }
      solid = decoded.length;
    } else {
      add(c, i);
      i++;
    }
  }
  if (decoded !== value) return undefined;
  offsets.push(end);
  return offsets;
}

/** Length without trailing blanks, but not less than `solid`. */
function trimmedLength(text: string, solid: number): number {
  let length = text.length;
  while (length > solid && (text[length - 1] === " " || text[length - 1] === "\t")) length--;
  return length;
}

/** Line breaks from `i` on, and where the next line's text begins. */
function readFold(raw: string, i: number, end: number): { breaks: number; next: number } {
  let breaks = 0;
  let next = i;
  while (next < end) {
    if (raw[next] === "\n") {
      breaks++;
      next++;
    } else if (raw[next] === "\r" || raw[next] === " " || raw[next] === "\t") next++;
    else break;
  }
  return { breaks, next };
}

/** A block scalar keeps the text of each line; folding and chomping change only what is between. */
function decodeBlock(raw: string, value: string): number[] | undefined {
  const headerEnd = raw.indexOf("\n");
  if (headerEnd === -1) return value === "" ? [raw.length] : undefined;
  const offsets: number[] = [];
  let lineStart = headerEnd + 1;
  let found = 0;
  while (lineStart < raw.length) {
    const lineEnd = raw.indexOf("\n", lineStart);
    const stop = lineEnd === -1 ? raw.length : lineEnd;
    const line = raw.slice(lineStart, stop).replace(/\r$/, "");
    const visible = line.trimStart();
    if (visible !== "") {
      const at = value.indexOf(visible, found);
      if (at === -1 || value.slice(found, at).trim() !== "") return undefined;
      const first = lineStart + line.length - visible.length;
      // Blanks kept from this line's indentation, then line breaks of the lines before.
      for (let k = found; k < at; k++) offsets.push(Math.max(lineStart - 1, first - (at - k)));
      for (let k = 0; k < visible.length; k++) offsets.push(first + k);
      found = at + visible.length;
    }
    if (lineEnd === -1) break;
    lineStart = lineEnd + 1;
  }
  if (value.slice(found).trim() !== "") return undefined;
  for (let k = found; k <= value.length; k++) offsets.push(raw.length);
  return offsets;
}
