/** How bad an author's mistake is: an error stops compilation, a warning does not. */
export type Severity = "error" | "warning";

/**
 * A mistake of the author, as data: collected and returned all at once, never thrown one at a time.
 * Lines and columns count from 1, columns in UTF-16 units; `endColumn` is exclusive.
 */
export interface Diagnostic {
  /** Stable and kebab-case, for example `unknown-field`. */
  code: string;
  severity: Severity;
  /** One sentence: what is wrong. */
  message: string;
  /** Path from the project's root, with forward slashes. */
  file: string;
  line: number;
  column: number;
  endLine?: number;
  endColumn?: number;
  /** What to do about it, for example `did you mean "category"?`. */
  hint?: string;
}

/** Orders diagnostics by file, then place, then code, and drops exact repetitions. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return [...diagnostics]
    .sort(
      (a, b) =>
        (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
        a.line - b.line ||
        a.column - b.column ||
        (a.code < b.code ? -1 : a.code > b.code ? 1 : 0),
    )
    .filter((diagnostic) => {
      const key = JSON.stringify([diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.code, diagnostic.message]);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}
