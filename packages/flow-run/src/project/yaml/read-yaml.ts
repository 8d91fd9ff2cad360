import { type Json, placeAt, type SourceFile, type YamlSource } from "@flow-run/spec";
import { addAtRange, type Findings } from "../findings.ts";
import { composeYaml } from "./compose-yaml.ts";
import { nodeValue } from "./node-value.ts";
import { plainFault } from "./syntax-error.ts";

/** A YAML document and its value; no value when it has mistakes, which are reported. */
export interface ReadYaml {
  source: YamlSource;
  value: Json | undefined;
}

/**
 * Reads YAML that stands in a file from `start` to `end` (default: all of it). Of syntax errors only the first is reported: the others
 * are its echoes.
 */
export function readYaml(file: SourceFile, findings: Findings, start = 0, end = file.text.length): ReadYaml {
  const text = file.text.slice(start, end);
  const { document, lineCounter, fault } = composeYaml(text);
  const source: YamlSource = { file, document, lineCounter, start };
  if (fault === undefined) return { source, value: nodeValue(source, findings) };
  const from = Math.min(fault.start, text.length);
  const { line, column } = placeAt(source, from);
  const last = placeAt(source, Math.min(Math.max(fault.end, from), text.length));
  const lineText = text.slice(text.lastIndexOf("\n", from - 1) + 1).split("\n", 1)[0]!;
  const endsHere = last.line === line && last.column > column;
  const range = { line, column, endLine: line, endColumn: endsHere ? last.column : column + 1 };
  addAtRange(findings, file.path, range, plainFault(fault, lineText));
  return { source, value: undefined };
}
