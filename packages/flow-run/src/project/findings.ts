import { type Diagnostic, rangeOf, type TextPlace, type TextRange, type YamlSource } from "@flow-run/spec";

/** Diagnostics of one read, gathered from all files. */
export interface Findings {
  readonly diagnostics: Diagnostic[];
}

/** A mistake without its file. */
export interface Finding {
  code: string;
  message: string;
  hint?: string;
  severity?: Diagnostic["severity"];
}

/** Adds a mistake at the start of a file: it concerns the file as a whole. */
export function addAtFile(findings: Findings, file: string, finding: Finding): void {
  addAtPlace(findings, file, undefined, finding);
}

/** Adds a mistake at one character of a file, or at its start. */
export function addAtPlace(findings: Findings, file: string, place: TextPlace | undefined, finding: Finding): void {
  const { line, column } = place ?? { line: 1, column: 1 };
  addAtRange(findings, file, { line, column, endLine: line, endColumn: column + (place === undefined ? 0 : 1) }, finding);
}

/** Adds a mistake at a value or key of a YAML document. */
export function addAtPath(
  findings: Findings,
  source: YamlSource,
  path: readonly (string | number)[],
  at: "key" | "value",
  finding: Finding,
): void {
  addAtRange(findings, source.file.path, rangeOf(source, path, at), finding);
}

export function addAtRange(findings: Findings, file: string, range: TextRange, { code, message, hint, severity }: Finding): void {
  findings.diagnostics.push({ code, severity: severity ?? "error", message, file, ...range, ...(hint === undefined ? {} : { hint }) });
}
