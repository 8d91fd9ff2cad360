import { realpath } from "node:fs/promises";
import { relative, sep } from "node:path";
import { hasErrors, sortDiagnostics } from "@flow-run/spec";
import { packageVersion } from "../../package-version.ts";
import { EXIT } from "../exit-code.ts";
import { loadProject } from "../load-project.ts";
import type { CommonOptions } from "../program.ts";
import { errorSide, type Terminal } from "../terminal.ts";
import { count, countView, diagnosticsView } from "../views/diagnostics.ts";
import { githubView } from "../views/github.ts";
import { sarifView } from "../views/sarif.ts";

interface Options extends CommonOptions {
  format: "pretty" | "json" | "github" | "sarif";
}

/** Shows all mistakes of the project; exit 2 when there are errors. */
export async function validate({ terminal, options }: { terminal: Terminal; options: Options }): Promise<number> {
  const project = await loadProject(options.project);
  const diagnostics = sortDiagnostics(project.diagnostics);
  const format = options.json ? "json" : options.format;
  if (format === "json") terminal.json({ diagnostics });
  else if (format === "github") terminal.out(githubView(diagnostics, await fromRepository(project.root)));
  else if (format === "sarif") terminal.out(sarifView(diagnostics, packageVersion(), await fromRepository(project.root)));
  else {
    if (diagnostics.length > 0) terminal.err(`${diagnosticsView(diagnostics, project.textOf, errorSide(terminal))}\n`);
    const sums = countView(diagnostics);
    if (hasErrors(diagnostics)) terminal.err(`${terminal.style("red", "✗", "err")} ${sums}\n`);
    else {
      const flows = count(Object.keys(project.bundle?.flows ?? {}).length, "flow");
      terminal.out(`${terminal.style("green", "✓")} ${flows} valid${sums ? `, ${sums}` : ""}\n`);
    }
  }
  return hasErrors(diagnostics) ? EXIT.wrong : EXIT.fine;
}

/** The way from the repository's root, where pipelines start, to the project: "" or `some/folder/`. */
async function fromRepository(root: string): Promise<string> {
  const { findRepository } = await import("../git.ts");
  const repository = await findRepository(root);
  if (repository === null) return "";
  const way = relative(await realpath(repository), await realpath(root));
  return way === "" || way.startsWith("..") ? "" : `${way.split(sep).join("/")}/`;
}
