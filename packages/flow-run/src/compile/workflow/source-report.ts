import { type Diagnostic, placeAt, type YamlSource } from "@flow-run/spec";
import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import type { Place } from "../bundle.ts";

/** Offsets in the YAML text; the end is exclusive. */
export interface Span {
  start: number;
  end: number;
}

/** One entry of a YAML map. */
export interface YamlEntry {
  name: string;
  key: Node;
  /** null: nothing is written after the colon. */
  value: Node | null;
}

/** A file's YAML nodes, and the diagnostics about them. */
export class SourceReport {
  readonly source: YamlSource;
  readonly diagnostics: Diagnostic[] = [];

  constructor(source: YamlSource) {
    this.source = source;
  }

  /** Only for a file that begins with its YAML text: the YAML text as node offsets count it. */
  get text(): string {
    return this.source.start === 0 ? this.source.file.text : this.source.file.text.slice(this.source.start);
  }

  report(code: string, message: string, at: Node | Span, hint?: string): void {
    const span = "start" in at ? at : spanOf(at, this.text);
    const { line, column } = placeAt(this.source, span.start);
    const end = placeAt(this.source, span.end);
    this.diagnostics.push({
      code,
      severity: "error",
      message,
      file: this.source.file.path,
      line,
      column,
      endLine: end.line,
      endColumn: end.column,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** Does work whose mistakes are reported when it is done again. */
  silently<Value>(work: () => Value): Value {
    const { length } = this.diagnostics;
    const value = work();
    this.diagnostics.length = length;
    return value;
  }

  placeOf(offset: number): Place {
    return { file: this.source.file.path, ...placeAt(this.source, offset) };
  }

  placeOfNode(node: Node): Place {
    return this.placeOf(spanOf(node, this.text).start);
  }

  /** What an alias stands for. */
  resolve(node: unknown): Node | null {
    return (isAlias(node) ? (node.resolve(this.source.document) ?? null) : (node as Node | null)) ?? null;
  }

  /** The entries of a map, in order; none for anything else. */
  entries(node: Node | null | undefined): YamlEntry[] {
    const map = this.resolve(node);
    if (!isMap(map)) return [];
    return map.items.map((pair) => {
      const key = pair.key as Node;
      return { name: isScalar(key) ? String(key.value) : String(key), key, value: this.resolve(pair.value) };
    });
  }

  /** The key (or list element) at a path below a node, as far as the path exists. */
  nodeAt(node: Node, path: readonly (string | number)[]): Node {
    let found = node;
    let current: Node | null = node;
    for (const part of path) {
      const entry: YamlEntry | undefined = this.entries(current).find(({ name }) => name === String(part));
      const item: Node | null | undefined = this.items(current)[Number(part)];
      current = entry ? entry.value : (item ?? null);
      found = entry?.key ?? item ?? found;
    }
    return found;
  }

  /** The elements of a list; none for anything else. */
  items(node: Node | null | undefined): (Node | null)[] {
    const list = this.resolve(node);
    return isSeq(list) ? list.items.map((item) => this.resolve(item)) : [];
  }
}

/** A node's span without the blanks and line breaks that the parser counts to block collections. */
function spanOf(node: Node, text: string): Span {
  const [start, end] = node.range ?? [0, 0];
  return { start, end: start + text.slice(start, end).trimEnd().length };
}
