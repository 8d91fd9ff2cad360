import type { Diagnostic } from "@flow-run/spec";

/** Annotations that GitHub shows beside the line; a path is taken from the repository's root, which `folder` leads to the project from. */
export function githubView(diagnostics: readonly Diagnostic[], folder: string): string {
  return diagnostics
    .map((diagnostic) => {
      const { severity, code, message, hint, file, line, column, endLine = line } = diagnostic;
      const properties = { file: folder + file, line, endLine, col: column, title: code };
      const list = Object.entries(properties).map(([name, value]) => `${name}=${property(String(value))}`);
      return `::${severity} ${list.join(",")}::${data(hint ? `${message} (${hint})` : message)}\n`;
    })
    .join("");
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
