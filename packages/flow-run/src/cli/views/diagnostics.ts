import type { Diagnostic } from "@flow-run/spec";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import { displayWidth } from "./display-width.ts";

/** Diagnostics as a person reads them: message, place, the line with a mark under it, and what to do. */
export function diagnosticsView(
  diagnostics: readonly Diagnostic[],
  textOf: (file: string) => string | undefined,
  terminal: Terminal,
): string {
  return diagnostics.map((diagnostic) => one(diagnostic, textOf(diagnostic.file), terminal)).join("\n");
}

/** `2 errors, 1 warning` */
export function countView(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  const warnings = diagnostics.length - errors;
  return [errors > 0 ? count(errors, "error") : "", warnings > 0 ? count(warnings, "warning") : ""].filter(Boolean).join(", ");
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function one(diagnostic: Diagnostic, text: string | undefined, { style }: Terminal): string {
  const { severity, code, message, file, line, column, hint } = diagnostic;
  const head = `${style(severity === "error" ? ["red", "bold"] : ["yellow", "bold"], severity)} ${style("dim", `[${code}]`)} ${printable(message)}`;
  const lines = [head, `  ${style("cyan", `${printable(file)}:${line}:${column}`)}`];
  const source = text?.split(/\r\n|\n|\r/)[line - 1]?.replaceAll("\t", " ");
  if (source) {
    const number = String(line);
    const { shown, offset } = excerpt(source, column);
    const start = Math.max(0, column - 1 - offset);
    const end = diagnostic.endLine === undefined || diagnostic.endLine === line ? (diagnostic.endColumn ?? column + 1) : source.length + 1;
    const before = displayWidth(printable(shown.slice(0, start)));
    const length = Math.max(1, displayWidth(printable(shown.slice(start, end - 1 - offset))));
    lines.push(
      `  ${style("dim", `${number} |`)} ${printable(shown)}${offset + shown.length < source.length ? style("dim", "…") : ""}`,
      `  ${" ".repeat(number.length)} ${style("dim", "|")} ${" ".repeat(before)}${style(severity === "error" ? "red" : "yellow", "^".repeat(length))}`,
    );
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
