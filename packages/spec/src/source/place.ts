import { isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair } from "yaml";
import type { YamlSource } from "./definition.ts";

/** Line and column of one character, both counting from 1, columns in UTF-16 units. */
export interface TextPlace {
  line: number;
  column: number;
}

/** A stretch of text; the end is exclusive. */
export interface TextRange extends TextPlace {
  endLine: number;
  endColumn: number;
}

/** Place of an offset in plain text. An offset past the end is the place after the last character. */
export function offsetPlace(text: string, offset: number): TextPlace {
  const end = Math.min(Math.max(offset, 0), text.length);
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf("\n"); next !== -1 && next < end; next = text.indexOf("\n", lineStart)) {
    line += 1;
    lineStart = next + 1;
  }
  return { line, column: end - lineStart + 1 };
}

/** Place in the file of an offset that a node of the document reports; such offsets count from `source.start`. */
export function placeAt(source: YamlSource, offset: number): TextPlace {
  const { line, col } = source.lineCounter.linePos(Math.max(offset, 0));
  if (line < 1) return offsetPlace(source.file.text, source.start + offset);
  if (source.start === 0) return { line, column: col };
  const before = offsetPlace(source.file.text, source.start);
  return { line: before.line + line - 1, column: line === 1 ? before.column + col - 1 : col };
}

/**
 * Range of the value (default) or of the key at a path of map keys and list indexes. An alias inside the path is followed to
 * where its content is written. A path that does not exist gives its nearest existing ancestor: the ancestor's key, or the first
 * line of its value when it has no key; so does `key` of a list item. An empty value gives its key.
 */
export function rangeOf(source: YamlSource, path: readonly (string | number)[], at: "key" | "value" = "value"): TextRange {
  let node: Node | null | undefined = source.document.contents;
  let key: Node | undefined;
  for (const [depth, segment] of path.entries()) {
    const parent: unknown = isAlias(node) ? node.resolve(source.document) : node;
    if (isMap(parent)) {
      const pair: Pair | undefined = parent.items.find((item) => keyText(item.key) === String(segment));
      if (pair === undefined) return ancestorRange(source, key, node);
      key = isNode(pair.key) ? pair.key : undefined;
      node = isNode(pair.value) ? pair.value : null;
    } else if (isSeq(parent) && isNode(parent.items[Number(segment)])) {
      key = undefined;
      node = parent.items[Number(segment)] as Node;
    } else {
      return ancestorRange(source, key, node);
    }
    if (node === null && depth < path.length - 1) return ancestorRange(source, key, node);
  }
  if (at === "key") return ancestorRange(source, key, node);
  const range = nodeOffsets(source, node);
  return range !== undefined && range[1] > range[0] ? offsetsRange(source, range) : ancestorRange(source, key, node);
}

function keyText(key: unknown): string | undefined {
  return isScalar(key) ? String(key.value) : undefined;
}

function ancestorRange(source: YamlSource, key: Node | undefined, node: Node | null | undefined): TextRange {
  const keyOffsets = nodeOffsets(source, key);
  if (keyOffsets !== undefined) return offsetsRange(source, keyOffsets);
  const [start, end] = nodeOffsets(source, node) ?? [0, 0];
  const text = source.file.text.slice(source.start + start, source.start + end);
  const lineEnd = text.search(/\r?\n/);
  return offsetsRange(source, [start, lineEnd === -1 ? end : start + lineEnd]);
}

/** Start and end of a node without the blanks and line breaks that the parser counts to block collections. */
function nodeOffsets(source: YamlSource, node: Node | null | undefined): [number, number] | undefined {
  if (!node?.range) return undefined;
  const [start, valueEnd] = node.range;
  const text = source.file.text.slice(source.start + start, source.start + valueEnd);
  return [start, start + text.trimEnd().length];
}

function offsetsRange(source: YamlSource, [start, end]: readonly [number, number]): TextRange {
  const { line, column } = placeAt(source, start);
  const last = placeAt(source, end);
  return { line, column, endLine: last.line, endColumn: last.column };
}
