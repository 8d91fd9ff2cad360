import { hasErrors, sortDiagnostics } from "@flow-run/spec";
import { EXIT } from "../exit-code.ts";
import { loadProject } from "../load-project.ts";
import { packageVersion } from "../../package-version.ts";
import type { CommonOptions } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { diagnosticsView, githubView, sarifView } from "../views/diagnostics.ts";

interface Options extends CommonOptions {
  format: "pretty" | "json" | "github" | "sarif";
}

export async function validate({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const project = await loadProject(options.project);
  const diagnostics = sortDiagnostics(project.diagnostics);
  const format = options.json ? "json" : options.format;
  if (format === "json") terminal.out(`${JSON.stringify({ diagnostics }, null, 2)}\n`);
  else if (format === "github") terminal.out(githubView(diagnostics));
  else if (format === "sarif") terminal.out(sarifView(diagnostics, packageVersion()));
  else {
    if (diagnostics.length > 0) terminal.err(`${diagnosticsView(diagnostics, project.textOf, terminal)}\n`);
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
    const warnings = diagnostics.length - errors;
    const flows = project.bundle ? Object.keys(project.bundle.flows).length : 0;
    if (errors > 0) terminal.err(`${terminal.style("red", "✗")} ${count(errors, "error")}${warnings > 0 ? `, ${count(warnings, "warning")}` : ""}\n`);
    else terminal.out(`${terminal.style("green", "✓")} ${count(flows, "flow")} valid${warnings > 0 ? `, ${count(warnings, "warning")}` : ""}\n`);
  }
  return hasErrors(diagnostics) ? EXIT.wrong : EXIT.fine;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
