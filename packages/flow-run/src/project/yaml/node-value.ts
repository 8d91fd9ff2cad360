import { type Json, type JsonObject, placeAt, type YamlSource } from "@flow-run/spec";
import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";
import { addAtRange, type Findings } from "../findings.ts";

/** Most values of a document once its aliases are expanded. */
const MAX_VALUES = 100_000;

interface Anchored {
  node: Node;
  value?: Json;
  size: number;
  done: boolean;
}

interface Walk {
  source: YamlSource;
  findings: Findings;
  anchors: Map<string, Anchored>;
  size: number;
  failed: boolean;
}

/**
 * The document as JSON; undefined when it has what JSON has not, keys twice, or aliases that explode. Text between `${{` and `}}` is
 * not looked into. Aliases share the value that they repeat: treat it as immutable.
 */
export function nodeValue(source: YamlSource, findings: Findings): Json | undefined {
  const walk: Walk = { source, findings, anchors: new Map(), size: 0, failed: false };
  const value = visit(source.document.contents, walk);
  return walk.failed ? undefined : value;
}

function visit(node: unknown, walk: Walk): Json {
  if (!grow(walk, node, 1)) return null;
  if (isAlias(node)) return aliasValue(node.source, node, walk);
  const anchor = (node as { anchor?: string } | null)?.anchor;
  if (anchor === undefined) return contentValue(node, walk);
  const anchored: Anchored = { node: node as Node, size: 0, done: false };
  walk.anchors.set(anchor, anchored);
  const before = walk.size;
  anchored.value = contentValue(node, walk);
  anchored.size = walk.size - before;
  anchored.done = true;
  return anchored.value;
}

/** Counts values; false, reported once, when there are too many. */
function grow(walk: Walk, node: unknown, amount: number): boolean {
  const fitted = walk.size <= MAX_VALUES;
  walk.size += amount;
  if (walk.size <= MAX_VALUES) return true;
  if (fitted)
    report(walk, node, "too-many-values", `the document has more than ${MAX_VALUES} values, aliases expanded`, "repeat less by aliases");
  return false;
}

function contentValue(node: unknown, walk: Walk): Json {
  if (isMap(node)) return mapValue(node.items, walk);
  if (isSeq(node)) return node.items.map((item) => visit(item, walk));
  return isScalar(node) ? scalarValue(node, walk) : null;
}

function aliasValue(name: string, node: Node, walk: Walk): Json {
  const anchored = walk.anchors.get(name);
  if (anchored === undefined) {
    report(walk, node, "syntax", `there is no anchor &${name} before this alias`, "write text that begins with * in single quotes");
  } else if (!anchored.done) {
    report(walk, node, "syntax", `the alias *${name} stands inside its own anchor`, "an alias cannot contain itself");
  } else {
    return grow(walk, node, anchored.size) ? (anchored.value ?? null) : null;
  }
  return null;
}

function mapValue(items: readonly { key: unknown; value: unknown }[], walk: Walk): JsonObject {
  const map: JsonObject = {};
  const seen = new Map<string, unknown>();
  for (const { key, value } of items) {
    const name = isScalar(key) ? String(key.value) : "";
    if (isAlias(key)) {
      report(walk, key, "syntax", "an alias cannot be a key", "write the key out");
    } else if (seen.has(name)) {
      const first = placeAt(walk.source, (seen.get(name) as Node).range?.[0] ?? 0);
      report(
        walk,
        key,
        "duplicate-key",
        `the key ${JSON.stringify(name)} is given twice`,
        `the first is in line ${first.line}; remove one`,
      );
    } else if (name === "__proto__") {
      report(walk, key, "invalid-name", "a key may not be called __proto__", "choose another name");
    } else {
      seen.set(name, key);
      map[name] = visit(value, walk);
    }
  }
  return map;
}

function scalarValue(node: Scalar, walk: Walk): Json {
  const { value, source = "" } = node;
  if (typeof value === "number") {
    if (!Number.isFinite(value))
      report(walk, node, "not-json", `${source} is not a number that JSON can hold`, "write text in single quotes");
    else if (/^[-+]?0\d/.test(source)) {
      report(
        walk,
        node,
        "ambiguous-number",
        `${source} could mean ${value} or the text '${source}'`,
        `write ${value}, or '${source}' in quotes`,
      );
    } else if (Number.isInteger(value) && !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(source)) {
      report(walk, node, "number-too-big", `${source} cannot be held exactly`, `write '${source}' in quotes to keep all digits`);
    }
  }
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  report(walk, node, "not-json", "this value cannot be held by JSON", "write text in single quotes");
  return null;
}

function report(walk: Walk, node: unknown, code: string, message: string, hint: string): void {
  walk.failed = true;
  const [start, end] = (node as Node | null)?.range ?? [0, 0];
  const { line, column } = placeAt(walk.source, start);
  const last = placeAt(walk.source, end);
  addAtRange(walk.findings, walk.source.file.path, { line, column, endLine: last.line, endColumn: last.column }, { code, message, hint });
}
