import type { Diagnostic } from "@flow-run/spec";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

/** Diagnostics as a person reads them: message, place, the line with a mark under it, and what to do. */
export function diagnosticsView(diagnostics: readonly Diagnostic[], textOf: (file: string) => string | undefined, terminal: Terminal): string {
  return diagnostics.map((diagnostic) => one(diagnostic, textOf(diagnostic.file), terminal)).join("\n");
}

function one(diagnostic: Diagnostic, text: string | undefined, { style }: Terminal): string {
  const { severity, code, message, file, line, column, hint } = diagnostic;
  const head = `${style(severity === "error" ? ["red", "bold"] : ["yellow", "bold"], severity)} ${style("dim", `[${code}]`)} ${printable(message)}`;
  const lines = [head, `  ${style("cyan", `${file}:${line}:${column}`)}`];
  const source = text?.split(/\r\n|\n|\r/)[line - 1];
  if (source !== undefined) {
    const number = String(line);
    const { shown, offset } = excerpt(source, column);
    const end = diagnostic.endLine === line && diagnostic.endColumn !== undefined ? diagnostic.endColumn : column + 1;
    const length = Math.max(1, Math.min(end - column, shown.length - (column - 1 - offset)));
    // Tabs stay tabs so that the mark stands where the text does.
    const pad = shown.slice(0, Math.max(0, column - 1 - offset)).replace(/[^\t]/g, " ");
    lines.push(`  ${style("dim", `${number} |`)} ${printable(shown)}`, `  ${" ".repeat(number.length)} ${style("dim", "|")} ${pad}${style("red", "^".repeat(length))}`);
  }
  if (hint) lines.push(`  ${style("green", "hint:")} ${printable(hint)}`);
  return `${lines.join("\n")}\n`;
}

/** A long line is cut around the place. */
function excerpt(source: string, column: number): { shown: string; offset: number } {
  const widest = 160;
  if (source.length <= widest) return { shown: source, offset: 0 };
  const offset = Math.max(0, Math.min(column - 1 - 40, source.length - widest));
  return { shown: source.slice(offset, offset + widest), offset };
}

/** Annotations that GitHub shows beside the line. */
export function githubView(diagnostics: readonly Diagnostic[]): string {
  const escape = (value: string) => value.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  return diagnostics
    .map(
      (d) =>
        `::${d.severity} file=${d.file},line=${d.line},col=${d.column},endLine=${d.endLine ?? d.line},title=${d.code}::${escape(d.message + (d.hint ? ` (${d.hint})` : ""))}\n`,
    )
    .join("");
}

/** SARIF 2.1.0, as code scanning services read it. */
export function sarifView(diagnostics: readonly Diagnostic[], version: string): string {
  const rules = [...new Set(diagnostics.map((diagnostic) => diagnostic.code))].map((id) => ({ id }));
  const results = diagnostics.map((d) => ({
    ruleId: d.code,
    level: d.severity,
    message: { text: d.hint ? `${d.message} (${d.hint})` : d.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: d.file },
          region: { startLine: d.line, startColumn: d.column, endLine: d.endLine ?? d.line, endColumn: d.endColumn ?? d.column + 1 },
        },
      },
    ],
  }));
  const sarif = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver: { name: "flow-run", version, informationUri: "https://flow-run.dev", rules } }, results }],
  };
  return `${JSON.stringify(sarif, null, 2)}\n`;
}
