import type { Diagnostic } from "@flow-run/spec";

/** SARIF 2.1.0, as code scanning services read it. Paths are taken from the repository's root, which `folder` leads to the project from. */
export function sarifView(diagnostics: readonly Diagnostic[], version: string, folder: string): string {
  const rules = [...new Set(diagnostics.map((diagnostic) => diagnostic.code))].map((id) => ({ id }));
  const results = diagnostics.map((d) => ({
    ruleId: d.code,
    level: d.severity,
    message: { text: d.hint ? `${d.message} (${d.hint})` : d.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(folder + d.file) },
          region: {
            startLine: d.line,
            startColumn: d.column,
            endLine: d.endLine ?? d.line,
            endColumn: d.endColumn ?? d.column + 1,
          },
        },
      },
    ],
  }));
  const sarif = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "flow-run", version, informationUri: "https://flow-run.dev", rules } },
        columnKind: "utf16CodeUnits",
        results,
      },
    ],
  };
  return `${JSON.stringify(sarif, null, 2)}\n`;
}
